// The main function that Catch2 version 2 wants compiled once.
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
