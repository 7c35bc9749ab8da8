// Files of the IDX format, plain or compressed by gzip: what MNIST is published in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct gzFile_s;  // of zlib, whose header the source alone needs

/// An open IDX file of unsigned bytes: a header of big-endian 32-bit numbers (a magic number that
/// tells type and dimensions, then each dimension), and the bytes.
///
/// It is read as a stream, so a header that announces more than the file holds costs no memory.
/// Whatever is wrong with the file is a `UserError` with its name, the byte, and what to do. Bytes
/// are counted from 0, in the uncompressed data.
class IdxFile {
 public:
  /// Opens a file of `dimensions` dimensions, which holds `what`: "images" or "labels".
  IdxFile(std::string path, int dimensions, std::string what);

  const std::string& path() const { return path_; }
  /// The sizes announced in the header; the first is the number of items.
  const std::vector<std::uint32_t>& sizes() const { return sizes_; }
  std::uint32_t count() const { return sizes_.front(); }
  /// The number of the byte that is read next.
  std::uint64_t position() const { return position_; }

  /// Reads the next bytes.
  void read(std::span<std::uint8_t> bytes);

  /// To be called when all items are read: there must be nothing behind.
  void expect_end();

  /// Throws `UserError` "'path' text".
  [[noreturn]] void fail(const std::string& text) const;

 private:
  void open();
  void read_header(int dimensions);
  std::uint32_t read_number();
  /// Fewer bytes than asked for only at the end of the file.
  std::size_t read_some(std::span<std::uint8_t> bytes);
  // A gzip file that is cut short is told apart from one whose contents are short.
  void check_end_of_gzip() const;
  [[noreturn]] void fail_damaged() const;
  // zlib puts the name of the file before its reasons.
  std::string gzip_reason(const std::string& reason) const;
  std::uint64_t announced() const;

  struct Close {
    void operator()(gzFile_s* file) const;
  };

  std::string path_, what_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<std::uint32_t> sizes_;
  std::uint64_t position_ = 0;
};
