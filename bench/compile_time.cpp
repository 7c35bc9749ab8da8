// usage FILE COMMAND ARGUMENT...: runs the command and writes to FILE what it and all its processes
// took: user seconds, user and system seconds, and the memory of the largest one in megabytes.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: " << arguments[0] << " FILE COMMAND ARGUMENT...\n";
    return 2;
  }
  const pid_t child = fork();
  if (child == 0) {
    execvp(arguments[2], arguments + 2);
    std::cerr << arguments[2] << ": cannot be run\n";
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 127;

  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  std::ofstream(arguments[1]) << seconds(used.ru_utime) << ' '
                              << seconds(used.ru_utime) + seconds(used.ru_stime) << ' '
                              << static_cast<double>(used.ru_maxrss) / 1024 << '\n';
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
