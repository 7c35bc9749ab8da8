#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <iostream>
#include <new>
#include <system_error>
#include <utility>

#include "ranks.hpp"
#include "user_error.hpp"

namespace {

std::int64_t whole_number(const std::string& option, const std::string& text) {
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (const auto [rest, error] = std::from_chars(text.data(), end, whole);
      error == std::errc() && rest == end)
    return whole;
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const bool exact = std::abs(value) <= 1e15 && value == std::floor(value);
  require_option(error == std::errc() && rest == end && exact, option,
                 "be a whole number of at most 1e15", "'" + text + "'", "try 1000 or 1e7");
  return static_cast<std::int64_t>(value);
}

}  // namespace

// CLI11's header takes seconds to compile: here, and nowhere else.
struct CommandLine::Parser {
  CLI::App app;
};

CommandLine::CommandLine(std::string name, const std::string& description)
    : name_(std::move(name)), parser_(new Parser{CLI::App(description)}) {}

CommandLine::~CommandLine() = default;

void CommandLine::add(const std::string& option, bool& target, const std::string& description) {
  parser_->app.add_flag(option, target, description);
}

void CommandLine::add(const std::string& option, std::string& target, const std::string& kind,
                      const std::string& description) {
  parser_->app.add_option(option, target, description)->type_name(kind);
}

void CommandLine::add(const std::string& option, std::int64_t& target,
                      const std::string& description) {
  const auto read = [option, &target](const std::string& text) {
    target = whole_number(option, text);
  };
  parser_->app.add_option_function<std::string>(option, read, description)
      ->default_str(std::to_string(target))
      ->type_name("COUNT");
}

void CommandLine::add(const std::string& option, double& target, const std::string& description) {
  parser_->app.add_option(option, target, description)->capture_default_str()->type_name("NUMBER");
}

void CommandLine::add(const std::string& option, std::vector<std::string>& target,
                      const std::string& description) {
  parser_->app.add_option(option, target, description)
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("NAME");
}

void CommandLine::add(const std::string& option, std::vector<double>& target,
                      const std::string& description) {
  parser_->app.add_option(option, target, description)
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("NUMBER");
}

void CommandLine::add(const std::string& option, std::vector<std::int64_t>& target,
                      const std::string& description) {
  std::string usual;
  for (const std::int64_t number : target)
    usual += (usual.empty() ? "" : ",") + std::to_string(number);
  const auto read = [option, &target](const std::vector<std::string>& texts) {
    target.clear();
    for (const std::string& text : texts) target.push_back(whole_number(option, text));
  };
  parser_->app.add_option_function<std::vector<std::string>>(option, read, description)
      ->delimiter(',')
      ->default_str(usual)
      ->type_name("COUNT");
}

int CommandLine::run(int argc, char** argv, const std::function<void()>& program) {
  return run_on_ranks(argc, argv, [&] {
    try {
      parser_->app.parse(argc, argv);
      program();
      if (!std::cout.flush()) throw UserError("standard output cannot be written");
      return 0;
    } catch (const CLI::Success& help) {
      return parser_->app.exit(help);
    } catch (const CLI::ParseError& error) {
      fail(std::string(error.what()) + " (--help lists the options)");
    } catch (const std::bad_alloc&) {
      fail("out of memory: lower --chains or --threads");
    } catch (const std::exception& error) {
      fail(error.what());
    }
  });
}

void CommandLine::fail(const std::string& message) const {
  throw UserError(name_ + ": " + message);
}
