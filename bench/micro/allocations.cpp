// malloc and its like, counted, in front of the C library's own.
#include "micro/measured.hpp"

extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
}

namespace {
thread_local uint64_t made = 0;
}

uint64_t fnkit::bench::allocations() { return made; }

extern "C" {

void* malloc(size_t bytes) {
  ++made;
  return __libc_malloc(bytes);
}

void* realloc(void* memory, size_t bytes) {
  ++made;
  return __libc_realloc(memory, bytes);
}

void* calloc(size_t count, size_t bytes) {
  ++made;
  return __libc_calloc(count, bytes);
}
}
