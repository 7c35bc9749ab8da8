// Files of the IDX format, plain or compressed by gzip: what MNIST is published in.
#pragma once

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <limits>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "files.hpp"

/// An open IDX file of unsigned bytes: a header of big-endian 32-bit numbers (a magic number that
/// tells type and dimensions, then each dimension), and the bytes.
///
/// It is read as a stream, so a header that announces more than the file holds costs no memory.
/// Whatever is wrong with the file is a `UserError` with its name, the byte, and what to do. Bytes
/// are counted from 0, in the uncompressed data.
class IdxFile {
 public:
  /// Opens a file of `dimensions` dimensions, which holds `what`: "images" or "labels".
  IdxFile(std::string path, int dimensions, std::string what)
      : path_(std::move(path)), what_(std::move(what)) {
    open();
    read_header(dimensions);
  }

  const std::string& path() const { return path_; }
  /// The sizes announced in the header; the first is the number of items.
  const std::vector<std::uint32_t>& sizes() const { return sizes_; }
  std::uint32_t count() const { return sizes_.front(); }
  /// The number of the byte that is read next.
  std::uint64_t position() const { return position_; }

  /// Reads the next bytes.
  void read(std::span<std::uint8_t> bytes) {
    if (const std::size_t got = read_some(bytes); got < bytes.size())
      fail("ends after " + std::to_string(position_) + " bytes, but its header announces " +
           std::to_string(announced()) + ": it was cut short, get it again");
  }

  /// To be called when all items are read: there must be nothing behind.
  void expect_end() {
    std::uint8_t byte = 0;
    if (read_some({&byte, 1}) == 1)
      fail("goes on after byte " + std::to_string(position_ - 1) +
           ", where its header says it ends: its header and its data do not belong together");
  }

  /// Throws `UserError` "'path' text".
  [[noreturn]] void fail(const std::string& text) const {
    throw UserError("'" + path_ + "' " + text);
  }

 private:
  void open() {
    std::error_code error;
    if (std::filesystem::is_directory(path_, error)) fail("cannot be read: it is a folder");
    errno = 0;
    file_.reset(gzopen(path_.c_str(), "rb"));
    if (!file_)
      throw UserError("cannot open '" + path_ +
                      "': " + (errno ? std::strerror(errno) : "no memory") +
                      ": check the name; to get MNIST, run  cmake -P examples/mnist/get_mnist.cmake"
                      "  and give the files it names, or use --synthetic");
    gzbuffer(file_.get(), 1 << 17);
    const bool named_gzip = path_.size() > 3 && path_.compare(path_.size() - 3, 3, ".gz") == 0;
    if (named_gzip && gzdirect(file_.get()) != 0)
      fail("is named .gz, but is not compressed by gzip: if it is plain IDX, rename it");
  }

  void read_header(int dimensions) {
    const std::uint32_t expected = 0x00000800U + static_cast<std::uint32_t>(dimensions);
    const std::uint32_t magic = read_number();
    if (magic != expected) {
      std::ostringstream text;
      text << std::hex << std::setfill('0') << "begins with the magic number 0x" << std::setw(8)
           << magic << " at byte 0, but IDX " << what_ << " begin with 0x" << std::setw(8)
           << expected << ": ";
      if (magic == 0x00000801U || magic == 0x00000803U)
        text << "are --images and --labels exchanged?";
      else
        text << "is it the right file?";
      fail(text.str());
    }
    for (int k = 0; k < dimensions; ++k) sizes_.push_back(read_number());
    if (count() == 0) fail("announces 0 " + what_ + " at byte 4: is it the right file?");
  }

  std::uint32_t read_number() {
    std::array<std::uint8_t, 4> bytes{};
    if (const std::size_t got = read_some(bytes); got < bytes.size())
      fail("ends after " + std::to_string(position_) +
           " bytes, within its header: it was cut short, get it again");
    std::uint32_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    return number;
  }

  /// Fewer bytes than asked for only at the end of the file.
  std::size_t read_some(std::span<std::uint8_t> bytes) {
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

  // A gzip file that is cut short is told apart from one whose contents are short.
  void check_end_of_gzip() const {
    int code = Z_OK;
    gzerror(file_.get(), &code);
    if (code != Z_OK) fail_damaged();
  }

  [[noreturn]] void fail_damaged() const {
    int code = Z_OK;
    const std::string reason = gzerror(file_.get(), &code);
    fail("cannot be read after byte " + std::to_string(position_) +
         " of its contents: " + (code == Z_ERRNO ? std::strerror(errno) : gzip_reason(reason)) +
         ": it is damaged or cut short, get it again");
  }

  // zlib puts the name of the file before its reasons.
  std::string gzip_reason(const std::string& reason) const {
    const std::string prefix = path_ + ": ";
    return reason.rfind(prefix, 0) == 0 ? reason.substr(prefix.size()) : reason;
  }

  std::uint64_t announced() const {
    std::uint64_t bytes = 1;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / 2;
    for (const std::uint64_t size : sizes_) {
      if (size != 0 && bytes > most / size) return most;
      bytes *= size;
    }
    return 4 + 4 * sizes_.size() + bytes;
  }

  struct Close {
    void operator()(gzFile_s* file) const { gzclose_r(file); }
  };

  std::string path_, what_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<std::uint32_t> sizes_;
  std::uint64_t position_ = 0;
};
