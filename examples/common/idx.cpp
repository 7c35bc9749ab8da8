#include "idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <limits>
#include <sstream>
#include <system_error>
#include <utility>

#include "user_error.hpp"

IdxFile::IdxFile(std::string path, int dimensions, std::string what)
    : path_(std::move(path)), what_(std::move(what)) {
  open();
  read_header(dimensions);
}

void IdxFile::read(std::span<std::uint8_t> bytes) {
  if (const std::size_t got = read_some(bytes); got < bytes.size())
    fail("ends after " + std::to_string(position_) + " bytes, but its header announces " +
         std::to_string(announced()) + ": it was cut short, get it again");
}

void IdxFile::expect_end() {
  std::uint8_t byte = 0;
  if (read_some({&byte, 1}) == 1)
    fail("goes on after byte " + std::to_string(position_ - 1) +
         ", where its header says it ends: its header and its data do not belong together");
}

void IdxFile::fail(const std::string& text) const { throw UserError("'" + path_ + "' " + text); }

void IdxFile::open() {
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) fail("cannot be read: it is a folder");
  errno = 0;
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_)
    throw UserError("cannot open '" + path_ + "': " + (errno ? std::strerror(errno) : "no memory") +
                    ": check the name; to get MNIST, run  cmake -P examples/mnist/get_mnist.cmake"
                    "  and give the files it names, or use --synthetic");
  gzbuffer(file_.get(), 1 << 17);
  const bool named_gzip = path_.size() > 3 && path_.compare(path_.size() - 3, 3, ".gz") == 0;
  if (named_gzip && gzdirect(file_.get()) != 0)
    fail("is named .gz, but is not compressed by gzip: if it is plain IDX, rename it");
}

void IdxFile::read_header(int dimensions) {
  const std::uint32_t expected = 0x00000800U + static_cast<std::uint32_t>(dimensions);
  const std::uint32_t magic = read_number();
  if (magic != expected) {
    std::ostringstream text;
    text << std::hex << std::setfill('0') << "begins with the magic number 0x" << std::setw(8)
         << magic << " at byte 0, but IDX " << what_ << " begin with 0x" << std::setw(8) << expected
         << ": ";
    if (magic == 0x00000801U || magic == 0x00000803U)
      text << "are --images and --labels exchanged?";
    else
      text << "is it the right file?";
    fail(text.str());
  }
  for (int k = 0; k < dimensions; ++k) sizes_.push_back(read_number());
  if (count() == 0) fail("announces 0 " + what_ + " at byte 4: is it the right file?");
}

std::uint32_t IdxFile::read_number() {
  std::array<std::uint8_t, 4> bytes{};
  if (const std::size_t got = read_some(bytes); got < bytes.size())
    fail("ends after " + std::to_string(position_) +
         " bytes, within its header: it was cut short, get it again");
  std::uint32_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

std::size_t IdxFile::read_some(std::span<std::uint8_t> bytes) {
  std::size_t got = 0;
  while (got < bytes.size()) {
    constexpr std::size_t most = 1U << 30;
    const auto part = static_cast<unsigned>(std::min(most, bytes.size() - got));
    const int count = gzread(file_.get(), bytes.data() + got, part);
    if (count < 0) fail_damaged();
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
    position_ += static_cast<std::size_t>(count);
  }
  if (got < bytes.size()) check_end_of_gzip();
  return got;
}

void IdxFile::check_end_of_gzip() const {
  int code = Z_OK;
  gzerror(file_.get(), &code);
  if (code != Z_OK) fail_damaged();
}

void IdxFile::fail_damaged() const {
  int code = Z_OK;
  const std::string reason = gzerror(file_.get(), &code);
  fail("cannot be read after byte " + std::to_string(position_) +
       " of its contents: " + (code == Z_ERRNO ? std::strerror(errno) : gzip_reason(reason)) +
       ": it is damaged or cut short, get it again");
}

std::string IdxFile::gzip_reason(const std::string& reason) const {
  const std::string prefix = path_ + ": ";
  return reason.rfind(prefix, 0) == 0 ? reason.substr(prefix.size()) : reason;
}

std::uint64_t IdxFile::announced() const {
  std::uint64_t bytes = 1;
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / 2;
  for (const std::uint64_t size : sizes_) {
    if (size != 0 && bytes > most / size) return most;
    bytes *= size;
  }
  return 4 + 4 * sizes_.size() + bytes;
}

void IdxFile::Close::operator()(gzFile_s* file) const { gzclose_r(file); }
