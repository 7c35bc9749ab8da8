// What a user can mend is told in one line: what must hold, what was found, and what to do.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

/// Something the user can mend, told in one line.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws `UserError` "OPTION must RULE, but is VALUE: REMEDY" unless `holds`.
void require_option(bool holds, const std::string& option, const std::string& rule,
                    const std::string& value, const std::string& remedy);
void require_option(bool holds, const std::string& option, const std::string& rule, double value,
                    const std::string& remedy);
void require_option(bool holds, const std::string& option, const std::string& rule,
                    std::int64_t value, const std::string& remedy);
