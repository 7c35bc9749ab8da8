// In a file of its own, so that compilers do not inline one half of a pair.
#include "support/counting_new.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

static int allocations = 0;

int allocations_by_new() { return allocations; }

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
