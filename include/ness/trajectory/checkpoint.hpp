// The state of a long run in a file, so that it can be stopped and continued to the last bit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "ness/files/atomic_file.hpp"

namespace ness {

/// Whether, where and how often a run is kept.
struct CheckpointSettings {
  std::string file = {};  ///< empty: none
  double seconds = 60;    ///< between two writings; what a kill may lose
  /// What else the run depends on, in words: a file written under another identity is refused.
  std::string identity = {};
};

/// A checkpoint that cannot be read, written, or is of another run.
class CheckpointError : public std::runtime_error {
 public:
  /// Which file, and what is wrong with it.
  CheckpointError(const std::string& file, const std::string& what)
      : std::runtime_error("ness: checkpoint '" + file + "' " + what) {}
};

namespace detail {

/// An array of numbers whose size is known, like `std::array`: as many bytes as it is large.
template <class Part>
concept IsArray = requires(Part& part) {
  std::tuple_size<Part>::value;
  requires std::is_arithmetic_v<std::remove_reference_t<decltype(*part.data())>>;
};

}  // namespace detail

/// Puts together the bytes of objects that have `serialize(archive)`, of numbers, vectors, matrices
/// and tuples of them: `archive(a, b, c)`.
class CheckpointWriter {
 public:
  /// Appends them.
  template <class... Parts>
  void operator()(Parts&... parts) {
    (add(parts), ...);
  }
  /// As of the reader; nothing here.
  void expect(std::int64_t) const {}
  /// What was put together so far.
  const std::string& bytes() const { return bytes_; }

 private:
  template <class Part>
  void add(Part& part) {
    if constexpr (std::is_arithmetic_v<Part>) {
      raw(&part, sizeof(Part));
    } else if constexpr (requires { part.serialize(*this); }) {
      part.serialize(*this);
    } else if constexpr (detail::IsArray<Part>) {
      raw(part.data(), sizeof(Part));
    } else if constexpr (requires { std::tuple_size<Part>::value; }) {
      std::apply(*this, part);
    } else if constexpr (requires { part.data(); }) {
      auto size = static_cast<std::uint64_t>(part.size());
      add(size);
      if constexpr (std::is_arithmetic_v<std::remove_reference_t<decltype(*part.data())>>)
        raw(part.data(), size * sizeof(*part.data()));
      else
        for (auto& element : part) add(element);
    } else if constexpr (requires(std::ostream& out) { out << part; }) {
      std::ostringstream text;  // the generators of the standard library
      text.imbue(std::locale::classic());
      text << part;
      auto size = static_cast<std::uint64_t>(text.str().size());
      add(size);
      raw(text.str().data(), size);
    } else {
      throw std::invalid_argument(
          "ness: what has no `template <class Archive> void serialize(Archive& archive) { "
          "archive(...); }` cannot be put into a checkpoint, nor sent to another rank: add it to "
          "the estimator");
    }
  }
  void raw(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }

  std::string bytes_;
};

/// Reads them again, into objects of the same sizes. Throws `std::out_of_range` where a size
/// differs or the bytes are too few.
class CheckpointReader {
 public:
  /// Refers to the bytes, so keep them.
  explicit CheckpointReader(std::string_view bytes) : bytes_(bytes) {}

  /// Takes them from what is left.
  template <class... Parts>
  void operator()(Parts&... parts) {
    (read(parts), ...);
  }
  /// Throws where `count` numbers cannot follow: to be asked before memory is taken for them.
  void expect(std::int64_t count) const {
    if (count < 0 || static_cast<std::uint64_t>(count) > bytes_.size())
      throw std::out_of_range("it ends too early");
  }
  /// Is nothing left?
  bool at_end() const { return bytes_.empty(); }

 private:
  template <class Part>
  void read(Part& part) {
    if constexpr (std::is_arithmetic_v<Part>) {
      raw(&part, sizeof(Part));
    } else if constexpr (requires { part.serialize(*this); }) {
      part.serialize(*this);
    } else if constexpr (detail::IsArray<Part>) {
      raw(part.data(), sizeof(Part));
    } else if constexpr (requires { std::tuple_size<Part>::value; }) {
      std::apply(*this, part);
    } else if constexpr (requires { part.data(); }) {
      std::uint64_t size = 0;
      read(size);
      if (size != static_cast<std::uint64_t>(part.size()))
        throw std::out_of_range("a size differs from that of this run");
      if constexpr (std::is_arithmetic_v<std::remove_reference_t<decltype(*part.data())>>)
        raw(part.data(), size * sizeof(*part.data()));
      else
        for (auto& element : part) read(element);
    } else if constexpr (requires(std::istream& in) { in >> part; }) {
      std::uint64_t size = 0;
      read(size);
      std::string text(std::min<std::size_t>(size, bytes_.size()), '\0');
      raw(text.data(), size);
      std::istringstream in(text);
      in.imbue(std::locale::classic());
      if (!(in >> part)) throw std::out_of_range("a generator of another kind");
    }
  }
  void raw(void* data, std::size_t size) {
    if (size > bytes_.size()) throw std::out_of_range("it ends too early");
    if (size == 0) return;  // of no data there is no address
    std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  std::string_view bytes_;
};

namespace detail {

/// A checkpoint as it is written: magic, and then the identity and the pieces, each with its size
/// and checksum before it. `Settings` is `CheckpointSettings`, a template argument only so that
/// this is compiled where it is used.
template <class Settings>
class CheckpointOutput {
 public:
  CheckpointOutput(const Settings& settings, const std::string& identity);

  /// Does not throw: `finish` knows.
  void add(const std::string& piece);
  /// Throws `CheckpointError` where something could not be written.
  void finish();

 private:
  void add_number(std::uint64_t number);

  std::string name_;
  AtomicFile<std::string> file_;
};

/// A checkpoint as it is read. Throws `CheckpointError` for what is no checkpoint, damaged, or of
/// another identity.
template <class Settings>
class CheckpointInput {
 public:
  CheckpointInput(const Settings& settings, const std::string& identity);

  bool found() const { return file_.found(); }
  std::string next();
  /// Nothing may be left.
  void finish() const;

 private:
  static constexpr const char* damaged_ = "is damaged or cut short: remove it to start anew";

  std::string bytes(std::uint64_t size);
  std::uint64_t number();
  [[noreturn]] void fail(const std::string& what) const;

  std::string name_;
  InputFile<std::string> file_;
};

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

namespace ness::detail {

/// FNV-1a, 64 bits, over words of eight bytes.
inline std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 32;
  }
  return hash ^ bytes.size();
}

inline constexpr std::string_view checkpoint_family = "ness checkpoint ";
inline constexpr std::string_view checkpoint_magic = "ness checkpoint 4\n";

template <class Settings>
CheckpointOutput<Settings>::CheckpointOutput(const Settings& settings, const std::string& identity)
    : name_(settings.file), file_(name_) {
  file_.write(checkpoint_magic);
  add(identity);
}

template <class Settings>
void CheckpointOutput<Settings>::add_number(std::uint64_t number) {
  file_.write({reinterpret_cast<const char*>(&number), sizeof(number)});
}

template <class Settings>
void CheckpointOutput<Settings>::add(const std::string& piece) {
  add_number(piece.size());
  add_number(checksum(piece));
  file_.write(piece);
}

template <class Settings>
void CheckpointOutput<Settings>::finish() {
  if (const std::string failure = file_.finish(); !failure.empty())
    throw CheckpointError(name_, "cannot be written: " + failure);
}

template <class Settings>
CheckpointInput<Settings>::CheckpointInput(const Settings& settings, const std::string& identity)
    : name_(settings.file), file_(name_) {
  if (!file_.found() && !file_.exists()) return;
  if (!file_.failure().empty()) fail("cannot be read: " + file_.failure());
  const std::string magic = bytes(std::min(file_.left(), checkpoint_magic.size()));
  if (magic != checkpoint_magic)
    fail(magic.rfind(checkpoint_family, 0) == 0
             ? "was written by another version of ness: remove it to start anew"
             : "is no checkpoint: name another file");
  const std::string found = next();
  if (found != identity)
    fail("is of another run, with [" + found + "], but this one has [" + identity +
         "]: name another file, or remove it to start anew");
}

template <class Settings>
std::string CheckpointInput<Settings>::bytes(std::uint64_t size) {
  std::string result;
  if (file_.read(result, size)) return result;
  fail(file_.failure().empty() ? damaged_ : "cannot be read: " + file_.failure());
}

template <class Settings>
std::uint64_t CheckpointInput<Settings>::number() {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes(sizeof(value)).data(), sizeof(value));
  return value;
}

template <class Settings>
std::string CheckpointInput<Settings>::next() {
  const std::uint64_t size = number();
  const std::uint64_t sum = number();
  std::string piece = bytes(size);
  if (sum != checksum(piece)) fail(damaged_);
  return piece;
}

template <class Settings>
void CheckpointInput<Settings>::finish() const {
  if (file_.left() != 0) fail(damaged_);
}

template <class Settings>
void CheckpointInput<Settings>::fail(const std::string& what) const {
  throw CheckpointError(name_, what);
}

}  // namespace ness::detail
#endif
