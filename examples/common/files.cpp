#include "files.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "ranks.hpp"
#include "user_error.hpp"

namespace {

namespace fs = std::filesystem;

/// A pipe or a device, which must not be replaced by a file.
bool is_special(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// The file that a link leads to.
std::string behind_links(const std::string& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path target = fs::weakly_canonical(path, error);
  return error ? path : target.string();
}

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return static_cast<bool>(file);
}

/// Leaves nothing behind. Throws `UserError`.
void try_to_write(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    throw UserError("cannot write '" + path + "': it is a folder, name a file");
  if (is_special(path)) return;
  const std::string probe = behind_links(path) + ".partial";
  errno = 0;
  if (!std::ofstream(probe))
    throw UserError("cannot write '" + path + "': " + std::strerror(errno) +
                    ": choose a folder that exists and is yours");
  fs::remove(probe, error);
}

}  // namespace

void write_atomically(const std::string& path, const std::string& text) {
  if (!is_first_rank()) return;
  if (is_special(path)) {
    if (!write(path, text)) throw UserError("cannot write '" + path + "'");
    return;
  }
  const std::string target = behind_links(path);
  const std::string partial = target + ".partial";
  std::error_code error;
  std::error_code ignored;
  if (!write(partial, text)) {
    fs::remove(partial, ignored);
    throw UserError("cannot write '" + partial + "': is the disk full?");
  }
  fs::rename(partial, target, error);
  if (!error) return;
  fs::remove(partial, ignored);
  throw UserError("cannot write '" + path + "': " + error.message());
}

void require_writable(const std::string& path) {
  ness::detail::on_every_rank(ranks(), [&] {
    if (is_first_rank()) try_to_write(path);
  });
}
