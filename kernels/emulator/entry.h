// How a kernel is called with parameters from memory.
#pragma once

#include "emulator.h"

#include <cstring>
#include <utility>

namespace emulated {


template <class... A, size_t... I>
__attribute__((no_sanitize_thread)) void call_with(void (*function)(A...), void *const *parameters,
                                                   std::index_sequence<I...>) {
  function(*(const A *)parameters[I]...);
}

template <class... A>
__attribute__((no_sanitize_thread)) void call(void (*function)(), void *const *parameters) {
  call_with((void (*)(A...))function, parameters, std::index_sequence_for<A...>());
}

template <class... A> Entry entry(const char *name, void (*function)(A...)) {
  return Entry{name, (void (*)())function, call<A...>, {(int)sizeof(A)...}};
}

} // namespace emulated
