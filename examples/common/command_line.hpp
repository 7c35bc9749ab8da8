// The command line of a program: its options, its help, its errors and its exit status.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// A parser of options, each with a target that holds the default until the user says otherwise.
class CommandLine {
 public:
  CommandLine(std::string name, const std::string& description);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// An option without a value.
  void add(const std::string& option, bool& target, const std::string& description);
  /// A text, of which the help says `kind`.
  void add(const std::string& option, std::string& target, const std::string& kind,
           const std::string& description);
  /// A whole number, also written as 1e7.
  void add(const std::string& option, std::int64_t& target, const std::string& description);
  void add(const std::string& option, double& target, const std::string& description);
  /// Names or numbers between commas.
  void add(const std::string& option, std::vector<std::string>& target,
           const std::string& description);
  void add(const std::string& option, std::vector<double>& target, const std::string& description);
  void add(const std::string& option, std::vector<std::int64_t>& target,
           const std::string& description);

  /// Parses and runs; returns the exit status, which is 0 only if the run succeeded. Whatever goes
  /// wrong is told in one line on standard error. On ranks, where there are any.
  int run(int argc, char** argv, const std::function<void()>& program);

 private:
  struct Parser;

  [[noreturn]] void fail(const std::string& message) const;

  std::string name_;
  std::unique_ptr<Parser> parser_;
};
