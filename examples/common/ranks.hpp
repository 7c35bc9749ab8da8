// The processes that a program runs on: one, or those of mpirun where it was built with MPI.
#pragma once

#include <functional>
#include <ness/statistics/ranks.hpp>

/// Those that share the work; none where there is one process.
const ness::Ranks* ranks();

/// Is this the process that writes, draws and tells of progress?
bool is_first_rank();

/// Runs `program` on every rank, standard output being that of the first, and returns its exit
/// status. What is thrown is told in one line on standard error, with status 1.
int run_on_ranks(int argc, char** argv, const std::function<int()>& program);
