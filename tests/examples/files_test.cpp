// Files of numbers that users bring, and files of results.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "examples/common/files.hpp"
#include "examples/common/numbers.hpp"
#include "examples/common/regression_data.hpp"
#include "examples/common/user_error.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"
#include "support/catch.hpp"
#include "temporary_folder.hpp"

namespace {

using Numbers = std::vector<double>;
using namespace std::string_literals;

Numbers parse(const std::string& text) { return parse_numbers(text, "x.txt"); }

/// "" where the text is read.
std::string message(const std::string& text) {
  try {
    parse(text);
    return "";
  } catch (const UserError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("Numbers are read one a line, with the marks and ends of line of any system") {
  const Numbers three{-1, 0.9, 2e3};
  CHECK(parse("-1\n0.9\n2e3\n") == three);
  CHECK(parse("-1\n0.9\n2e3") == three);
  CHECK(parse("-1\r\n0.9\r\n2e3\r\n") == three);
  CHECK(parse("-1\r0.9\r2e3\r") == three);
  CHECK(parse("\xEF\xBB\xBF-1.0\n0.9\n2e3\n") == three);
  CHECK(parse("  -1 \n\t.9\t\n+2E+3 \r\n\n \n") == three);
  CHECK(parse("1e-400\n-1e-400\n4.9e-324\n1e-320\n") ==
        Numbers{0, 0, std::numeric_limits<double>::denorm_min(), 1e-320});
  CHECK(parse("1.7976931348623157e308") == Numbers{std::numeric_limits<double>::max()});
}

TEST_CASE("What is not a number is told with line, column, what was seen and what to do") {
  const std::vector<std::vector<std::string>> faults{
      // contents, where, what
      {"-1\n-0,9\n", "x.txt:2:3: ", "'-0,9' has a decimal comma, or is two numbers: write -0.9"},
      {"1 2\n", "x.txt:1:2: ", "' 2' stands behind the number", "one column"},
      {"1\n2\t3\n", "x.txt:2:2: ", "'\\x093' stands behind the number"},
      {"1;2\n", "x.txt:1:2: ", "';2' stands behind the number"},
      {"1, 2\n", "x.txt:1:2: ", "', 2' stands behind the number"},
      {"1,\n", "x.txt:1:2: ", "',' stands behind the number"},
      {",1\n", "x.txt:1:1: ", "',1' has a blank cell before ','"},
      {"x\n1\n", "x.txt:1:1: ", "'x' is not a number: if it is a header, remove it"},
      {"1\nthree\n", "x.txt:2:1: ", "'three' is not a number: write one a line"},
      {"1\n  2x\n", "x.txt:2:3: ", "'2x' is not a number"},
      {"1.2.3\n", "x.txt:1:1: ", "'1.2.3' is not a number"},
      {"+-1\n", "x.txt:1:1: ", "'+-1' is not a number"},
      {"0x10\n", "x.txt:1:1: ", "'0x10' is not a number"},
      {"\"1.5\"\n", "x.txt:1:1: ", "'\"1.5\"' is in quotes"},
      {"\xE2\x88\x92"
       "1\n",
       "x.txt:1:1: ", "U+2212"},
      {"\xC2\xA0"
       "1\n",
       "x.txt:1:1: ", "U+00A0"},
      {"1\xC2\xA0\n", "x.txt:1:1: ", "U+00A0"},
      {"1\n\n2\n",
       "x.txt:2:1: ", "the line is blank, but a number follows in line 3: is one missing?"},
      {"\n1\n", "x.txt:1:1: ", "the line is blank, but a number follows in line 2"},
      {"1\r\n2\r\nnan\r\n", "x.txt:3:1: ", "'nan' is not finite"},
      {" -inf\n", "x.txt:1:2: ", "'-inf' is not finite"},
      {"1\n-1e400\n", "x.txt:2:1: ", "'-1e400' is not in the range of double"},
      {"\xFF\xFE"
       "1\0\n\0"s,
       "x.txt:1:1: ", "byte-order mark of UTF-16"},
      {"\xFE\xFF\0"
       "1\0\n"s,
       "x.txt:1:1: ", "byte-order mark of UTF-16"},
      {"1\0\n\0"s, "x.txt:1:1: ", "'1\\x00' has a zero byte: save the file as plain text"},
      {"\xEF\xBB\xBF"
       "a\n",
       "x.txt:1:1: ", "'a' is not a number"},
      {"\xC3\xA4\xC3\xB6 1\n", "x.txt:1:1: ", "'\xC3\xA4\xC3\xB6 1' is not a number"},
      {"77777777777777777777777777777777777777777777x\n",
       "x.txt:1:1: ", "'7777777777777777777777777777777777777777...'"},
  };
  for (const auto& fault : faults) {
    const std::string said = message(fault[0]);
    CAPTURE(fault[0], said);
    CHECK(said.rfind(fault[1], 0) == 0);
    for (std::size_t k = 2; k < fault.size(); ++k) CHECK(said.find(fault[k]) != std::string::npos);
    CHECK(said.find('\n') == std::string::npos);
  }
  CHECK_THROWS_WITH(parse(""), "'x.txt' holds no numbers: one a line is expected");
  CHECK_THROWS_WITH(parse("\n \r\n"), "'x.txt' holds no numbers: one a line is expected");
}

TEST_CASE("Any bytes are finite numbers, one for each line that is not blank, or refused") {
  ness::Philox random(11);
  const std::string letters = "0123456789.-+eE,; \n\r\t\"\0naif\xEF\xBB\xBF"s;
  int refused = 0;
  constexpr int inputs = 20'000;
  for (int k = 0; k < inputs; ++k) {
    std::string text;
    for (std::uint32_t n = ness::uniform_index(random, 8); n > 0; --n)
      text += letters[ness::uniform_index(random, static_cast<std::uint32_t>(letters.size()))];
    try {
      const Numbers numbers = parse(text);
      for (const double number : numbers)
        if (!std::isfinite(number)) FAIL("not finite: " << text);
      if (static_cast<long>(numbers.size()) >
          1 + std::count_if(text.begin(), text.end(),
                            [](char c) { return c == '\n' || c == '\r'; }))
        FAIL("more numbers than lines: " << text);
    } catch (const UserError&) {
      ++refused;
    }
  }
  CHECK(refused > inputs / 2);
  CHECK(refused < inputs);
}

TEST_CASE("The data are one y for each x, or both counts are told") {
  const TemporaryFolder folder;
  const std::string three = folder.write("three", "1\n2\n3\n");
  const std::string two = folder.write("two", "1\n2\n");
  CHECK(regression_data({three, three}).y == Numbers{1, 2, 3});
  CHECK_THROWS_WITH(regression_data({three, two}), "'" + three + "' holds 3 numbers and '" + two +
                                                       "' 2: there must be one y for each x");
  CHECK_THROWS_WITH(
      regression_data({two, folder.name("none")}),
      "cannot open '" + folder.name("none") + "': check that the file exists and is readable");
  CHECK(regression_data({}).x.size() == 200);
}

TEST_CASE("A result is written whole or not at all, through links, and beside nothing else") {
  const TemporaryFolder folder;
  const std::string file = folder.write("file", "old");
  require_writable(file);
  CHECK(folder.read("file") == "old");
  write_atomically(file, "new");
  CHECK(folder.read("file") == "new");

  std::filesystem::create_symlink("file", folder.path / "link");
  require_writable(folder.name("link"));
  write_atomically(folder.name("link"), "newer");
  CHECK(std::filesystem::is_symlink(folder.path / "link"));
  CHECK(folder.read("file") == "newer");
  CHECK(folder.count() == 2);

  std::filesystem::create_directory(folder.path / "folder");
  CHECK_THROWS_WITH(require_writable(folder.name("folder")),
                    "cannot write '" + folder.name("folder") + "': it is a folder, name a file");
  CHECK_THROWS_AS(write_atomically(folder.name("folder"), "text"), UserError);
  CHECK_THROWS_AS(write_atomically(folder.name("none/file"), "text"), UserError);
  CHECK(folder.count() == 3);
}

TEST_CASE("A pipe or a device is written to and not replaced") {
  const TemporaryFolder folder;
  const std::string pipe = folder.name("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int open_end = open(pipe.c_str(), O_RDWR | O_NONBLOCK);  // so that writing does not wait
  REQUIRE(open_end >= 0);
  require_writable(pipe);
  write_atomically(pipe, "text");
  std::string got(4, ' ');
  CHECK(read(open_end, got.data(), got.size()) == 4);
  CHECK(got == "text");
  close(open_end);
  CHECK(std::filesystem::is_fifo(pipe));
  CHECK(folder.count() == 1);
}
