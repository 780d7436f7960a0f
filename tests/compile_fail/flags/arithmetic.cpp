// expect: (gt needs arithmetic as it is written|gt needs floats that are rounded to floats)
// With flags that change arithmetic, of which tests/CMakeLists.txt tries each by itself.
#include <gt/base/sha256.hpp>
