// The version of the library.
#pragma once

namespace ness {

/// major.minor.patch; while major is 0, a new minor may change names.
inline constexpr int version_major = 0;
inline constexpr int version_minor = 5;
inline constexpr int version_patch = 0;
inline constexpr const char* version = "0.5.0";

}  // namespace ness
