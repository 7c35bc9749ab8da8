// As long as it lives, numbers are printed as 12.345,5 wherever no locale is named.
#pragma once

#include <locale>
#include <string>

class ForeignLocale {
 public:
  ForeignLocale() = default;
  ForeignLocale(const ForeignLocale&) = delete;
  ForeignLocale& operator=(const ForeignLocale&) = delete;
  ~ForeignLocale() { std::locale::global(before_); }

 private:
  struct Numbers : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  std::locale before_ =
      std::locale::global(std::locale(std::locale::classic(), new Numbers));  // which owns it
};
