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
#include <type_traits>

namespace ness {

struct CheckpointSettings {
  std::string file = {};  ///< empty: none
  double seconds = 60;    ///< between two writings; what a kill may lose
  /// What else the run depends on, in words: a file written under another identity is refused.
  std::string identity = {};
};

/// A checkpoint that cannot be read, written, or is of another run.
class CheckpointError : public std::runtime_error {
 public:
  CheckpointError(const std::string& file, const std::string& what)
      : std::runtime_error("ness: checkpoint '" + file + "' " + what) {}
};

/// Puts together the bytes of objects that have `serialize(archive)`, of numbers, vectors and
/// matrices: `archive(a, b, c)`.
class CheckpointWriter {
 public:
  template <class... Parts>
  void operator()(Parts&... parts) {
    (add(parts), ...);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  template <class Part>
  void add(Part& part) {
    if constexpr (std::is_arithmetic_v<Part>) {
      raw(&part, sizeof(Part));
    } else if constexpr (requires { part.serialize(*this); }) {
      part.serialize(*this);
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
          "archive(...); }` cannot be put into a checkpoint: add it to the estimator");
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
  explicit CheckpointReader(std::string_view bytes) : bytes_(bytes) {}

  template <class... Parts>
  void operator()(Parts&... parts) {
    (read(parts), ...);
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  template <class Part>
  void read(Part& part) {
    if constexpr (std::is_arithmetic_v<Part>) {
      raw(&part, sizeof(Part));
    } else if constexpr (requires { part.serialize(*this); }) {
      part.serialize(*this);
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
    std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  std::string_view bytes_;
};

namespace detail {

/// Magic, identity and its end, contents, checksum of all before it. Written beside the file and
/// renamed, so that a kill at any moment leaves the old file or the new one. `Settings` is
/// `CheckpointSettings`, a template argument only so that this is compiled where it is used.
template <class Settings>
void write_checkpoint(const Settings& settings, const std::string& identity,
                      const std::string& contents);

/// The contents, or nothing where there is no such file.
template <class Settings>
std::string read_checkpoint(const Settings& settings, const std::string& identity);

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cerrno>
#include <cstdio>
#include <fstream>

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

inline constexpr std::string_view checkpoint_magic = "ness checkpoint 2\n";

template <class Settings>
void write_checkpoint(const Settings& settings, const std::string& identity,
                      const std::string& contents) {
  std::string bytes;
  bytes.reserve(contents.size() + identity.size() + 64);
  bytes.append(checkpoint_magic).append(identity).append(1, '\0').append(contents);
  const std::uint64_t sum = checksum(bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  const std::string partial = settings.file + ".partial";
  {
    std::ofstream file(partial, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.flush();
    if (!file)
      throw CheckpointError(settings.file,
                            "cannot be written: is there room, and is the folder yours?");
  }
  if (std::rename(partial.c_str(), settings.file.c_str()) != 0)
    throw CheckpointError(settings.file, std::string("cannot be written: ") + std::strerror(errno));
}

template <class Settings>
std::string read_checkpoint(const Settings& settings, const std::string& identity) {
  errno = 0;
  std::ifstream file(settings.file, std::ios::binary);
  if (!file && errno == ENOENT) return {};
  std::ostringstream read;
  read << file.rdbuf();
  if (!file) throw CheckpointError(settings.file, "cannot be read");
  const std::string bytes = read.str();
  const std::string remedy = ": remove it to start anew";
  if (bytes.rfind(checkpoint_magic, 0) != 0)
    throw CheckpointError(settings.file, "is no checkpoint: name another file");
  std::uint64_t sum = 0;
  if (bytes.size() < checkpoint_magic.size() + 1 + sizeof(sum))
    throw CheckpointError(settings.file, "is cut short" + remedy);
  const std::size_t end = bytes.size() - sizeof(sum);
  std::memcpy(&sum, bytes.data() + end, sizeof(sum));
  if (sum != checksum(std::string_view(bytes).substr(0, end)))
    throw CheckpointError(settings.file, "is damaged or cut short" + remedy);
  const std::size_t start = checkpoint_magic.size();
  const std::size_t zero = bytes.find('\0', start);
  const std::string found = bytes.substr(start, zero - start);
  if (found != identity)
    throw CheckpointError(settings.file, "is of another run, with [" + found +
                                             "], but this one has [" + identity +
                                             "]: name another file, or remove it to start anew");
  return bytes.substr(zero + 1, end - zero - 1);
}

}  // namespace ness::detail
#endif
