#include "ranks.hpp"

#include <exception>
#include <iostream>
#include <streambuf>

#ifdef NESS_USE_MPI
#include <ness/parallel/mpi.hpp>
#endif

namespace {

const ness::Ranks* all_ranks = nullptr;

}  // namespace

const ness::Ranks* ranks() { return all_ranks; }

bool is_first_rank() { return !all_ranks || all_ranks->rank() == 0; }

#ifdef NESS_USE_MPI

namespace {

/// Takes everything and keeps nothing.
class Silence : public std::streambuf {
  int overflow(int letter) override { return traits_type::not_eof(letter); }
};

}  // namespace

int run_on_ranks(int argc, char** argv, const std::function<int()>& program) {
  return ness::run_with_mpi(argc, argv, [&](const ness::Ranks& found) {
    Silence silence;
    std::streambuf* const out = std::cout.rdbuf();
    if (found.size() > 1) all_ranks = &found;
    if (!is_first_rank()) std::cout.rdbuf(&silence);
    const auto restore = [&] {
      std::cout.flush();
      std::cout.rdbuf(out);
      all_ranks = nullptr;
    };
    try {
      const int status = program();
      restore();
      return status;
    } catch (...) {
      restore();
      throw;
    }
  });
}

#else

int run_on_ranks(int, char**, const std::function<int()>& program) {
  try {
    return program();
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << error.what() << '\n';
    return 1;
  }
}

#endif
