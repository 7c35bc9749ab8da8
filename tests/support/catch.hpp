// Catch2, version 2 or 3, behind one include.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
/// Matches a text that contains `part`.
inline auto contains(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
#else
#include <catch2/catch.hpp>
/// Matches a text that contains `part`.
inline auto contains(const std::string& part) { return Catch::Contains(part); }
#endif
