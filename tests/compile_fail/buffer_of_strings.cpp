// expect: a Buffer holds plain numbers
#include <string>

#include "gt/core/buffer.hpp"

gt::Buffer<std::string> words;
