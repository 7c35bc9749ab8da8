// A file that is written whole or not at all.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ness {

/// A file that cannot be written or read, or does not hold what it should.
class FileError : public std::runtime_error {
 public:
  /// Which file, and what is wrong with it.
  FileError(const std::string& file, const std::string& what)
      : std::runtime_error("ness: file '" + file + "' " + what) {}
};

namespace detail {

/// Is it what must not be replaced by a file: a pipe or a device? `Text` is std::string, here and
/// below, a template argument only so that this is compiled where it is used.
template <class Text>
bool is_pipe_or_device(const Text& name);

/// The file that a link leads to, which may not be there yet.
template <class Text>
Text behind_links(const Text& name);

/// Is written beside the file and renamed by `finish`, so that a kill at any moment leaves the old
/// file or the new one, and a failure the old. A link is followed; a pipe or a device is written to
/// as it is.
template <class Text>
class AtomicFile {
 public:
  explicit AtomicFile(const Text& name);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Does not throw: `finish` knows.
  void write(std::string_view bytes);
  /// What went wrong, "is there room, …?", or nothing.
  Text finish();

 private:
  Text name_, partial_;
  std::FILE* file_;
  bool whole_;
};

/// What `name` holds, read a piece at a time, never beyond its end.
template <class Text>
class InputFile {
 public:
  explicit InputFile(const Text& name);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() {
    if (file_) std::fclose(file_);
  }

  bool found() const { return file_; }
  bool exists() const { return exists_; }     ///< also where it cannot be opened
  std::size_t left() const { return left_; }  ///< bytes
  /// Fills `bytes` with the next `size` of them: false where there are not as many, or they cannot
  /// be read.
  bool read(Text& bytes, std::size_t size);
  /// Goes to a byte counted from the beginning.
  bool seek(std::size_t position);
  /// What went wrong, or nothing.
  const Text& failure() const { return failure_; }

 private:
  std::FILE* file_;
  std::size_t size_ = 0, left_ = 0;
  Text failure_;
  bool exists_ = true;
};

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <sys/stat.h>  // <filesystem> takes a quarter as long to compile as Eigen

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace ness::detail {

template <class Text>
bool is_pipe_or_device(const Text& name) {
  struct stat status;
  return ::stat(name.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

template <class Text>
Text behind_links(const Text& name) {
  struct stat status;
  if (::lstat(name.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return name;
  const std::unique_ptr<char, decltype(&std::free)> target(::realpath(name.c_str(), nullptr),
                                                           &std::free);
  return target ? Text(target.get()) : name;
}

template <class Text>
AtomicFile<Text>::AtomicFile(const Text& name)
    : name_(is_pipe_or_device(name) ? name : behind_links(name)),
      partial_(is_pipe_or_device(name) ? name : name_ + ".partial") {
  file_ = std::fopen(partial_.c_str(), "wb");
  whole_ = file_ != nullptr;
}

template <class Text>
AtomicFile<Text>::~AtomicFile() {
  if (!file_) return;
  std::fclose(file_);
  if (partial_ != name_) std::remove(partial_.c_str());
}

template <class Text>
void AtomicFile<Text>::write(std::string_view bytes) {
  whole_ = whole_ && std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size();
}

template <class Text>
Text AtomicFile<Text>::finish() {
  if (!whole_ || std::fflush(file_) != 0) return "is there room, and is the folder yours?";
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (closed && (partial_ == name_ || std::rename(partial_.c_str(), name_.c_str()) == 0)) return {};
  const Text why = std::strerror(errno);
  if (partial_ != name_) std::remove(partial_.c_str());
  return why;
}

template <class Text>
InputFile<Text>::InputFile(const Text& name) : file_(std::fopen(name.c_str(), "rb")) {
  if (!file_) {
    exists_ = errno != ENOENT;
    failure_ = std::strerror(errno);
    return;
  }
  const bool at_end = std::fseek(file_, 0, SEEK_END) == 0;
  const long size = at_end ? std::ftell(file_) : -1;
  if (size < 0 || std::fseek(file_, 0, SEEK_SET) != 0)
    failure_ = "it is no plain file";
  else
    size_ = left_ = static_cast<std::size_t>(size);
}

template <class Text>
bool InputFile<Text>::seek(std::size_t position) {
  if (position == size_ - left_) return true;  // what was read ahead is kept
  if (position > size_) return false;
  if (std::fseek(file_, static_cast<long>(position), SEEK_SET) != 0) {
    failure_ = std::strerror(errno);
    return false;
  }
  left_ = size_ - position;
  return true;
}

template <class Text>
bool InputFile<Text>::read(Text& bytes, std::size_t size) {
  if (size > left_) return false;
  bytes.resize(size);
  if (std::fread(bytes.data(), 1, size, file_) != size) {
    failure_ = std::strerror(errno);
    return false;
  }
  left_ -= size;
  return true;
}

}  // namespace ness::detail
#endif
