// Counts every use of the global operator new of a program that links counting_new.cpp.
#pragma once

/// How often memory was taken since the program began.
int allocations_by_new();
