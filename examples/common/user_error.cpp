#include "user_error.hpp"

#include <sstream>

void require_option(bool holds, const std::string& option, const std::string& rule,
                    const std::string& value, const std::string& remedy) {
  if (!holds) throw UserError(option + " must " + rule + ", but is " + value + ": " + remedy);
}

void require_option(bool holds, const std::string& option, const std::string& rule, double value,
                    const std::string& remedy) {
  if (holds) return;
  std::ostringstream text;
  text.precision(12);
  text << value;
  require_option(false, option, rule, text.str(), remedy);
}

void require_option(bool holds, const std::string& option, const std::string& rule,
                    std::int64_t value, const std::string& remedy) {
  require_option(holds, option, rule, std::to_string(value), remedy);
}
