// What the command lines of the examples have in common: whole numbers, errors, exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <new>
#include <sstream>
#include <string>

#include "files.hpp"

/// Throws `UserError` "OPTION must RULE, but is VALUE: REMEDY" unless `holds`.
template <class Value>
void require_option(bool holds, const std::string& option, const std::string& rule,
                    const Value& value, const std::string& remedy) {
  if (holds) return;
  std::ostringstream message;
  message.precision(12);
  message << option << " must " << rule << ", but is " << value << ": " << remedy;
  throw UserError(message.str());
}

/// A whole number, also written as 1e7. Throws `UserError` naming the option.
inline std::int64_t whole_number(const std::string& option, const std::string& text) {
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

/// Adds an option that holds a whole number, its default in the help.
inline void add_count(CLI::App& app, const std::string& option, std::int64_t& target,
                      const std::string& description) {
  const auto read = [option, &target](const std::string& text) {
    target = whole_number(option, text);
  };
  app.add_option_function<std::string>(option, read, description)
      ->default_str(std::to_string(target))
      ->type_name("COUNT");
}

/// Adds an option that holds a number, its default in the help.
inline void add_number(CLI::App& app, const std::string& option, double& target,
                       const std::string& description) {
  app.add_option(option, target, description)->capture_default_str()->type_name("NUMBER");
}

/// Parses and runs; returns the exit status, which is 0 only if the run succeeded. Whatever goes
/// wrong is told in one line on standard error.
template <class Run>
int run_program(const std::string& name, CLI::App& app, int argc, char** argv, const Run& run) {
  const auto fail = [&](const std::string& message) {
    std::cout.flush();
    std::cerr << name << ": " << message << '\n';
    return 1;
  };
  try {
    app.parse(argc, argv);
    run();
    return std::cout.flush() ? 0 : fail("standard output cannot be written");
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail(std::string(error.what()) + " (--help lists the options)");
  } catch (const std::bad_alloc&) {
    return fail("out of memory: lower --chains or --threads");
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
