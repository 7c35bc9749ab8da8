#include "files.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "ness/files/atomic_file.hpp"
#include "ranks.hpp"
#include "user_error.hpp"

namespace {

namespace fs = std::filesystem;

/// Leaves nothing behind. Throws `UserError`.
void try_to_write(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    throw UserError("cannot write '" + path + "': it is a folder, name a file");
  if (ness::detail::is_pipe_or_device(path)) return;
  const std::string probe = ness::detail::behind_links(path) + ".partial";
  errno = 0;
  if (!std::ofstream(probe))
    throw UserError("cannot write '" + path + "': " + std::strerror(errno) +
                    ": choose a folder that exists and is yours");
  fs::remove(probe, error);
}

}  // namespace

void write_atomically(const std::string& path, const std::string& text) {
  if (!is_first_rank()) return;
  ness::detail::AtomicFile<std::string> file(path);
  file.write(text);
  if (const std::string failure = file.finish(); !failure.empty())
    throw UserError("cannot write '" + path + "': " + failure);
}

void require_writable(const std::string& path) {
  ness::detail::on_every_rank(ranks(), [&] {
    if (is_first_rank()) try_to_write(path);
  });
}
