// Arrays in NumPy's format.
#include <Eigen/Dense>
#include <cstdlib>

#include "fuzz.hpp"
#include "ness/files/npy.hpp"
#include "support/temporary_file.hpp"

std::vector<std::string> good_files() {
  const TemporaryFile file;
  std::vector<std::string> files;
  const auto keep = [&](const auto& matrix) {
    ness::write_npy(file.name, matrix);
    files.push_back(file.contents());
  };
  keep(Eigen::MatrixXd::Random(3, 4).eval());
  keep(Eigen::VectorXf::Random(5).eval());
  keep(Eigen::MatrixXi::Random(2, 2).eval());
  ness::write_npy(file.name, ness::NpyArray{{2, 1, 3}, {1, 2, 3, 4, 5, 6}});
  files.push_back(file.contents());
  return files;
}

void read_file(const std::string& name, std::size_t bytes) {
  try {
    const ness::NpyArray array = ness::read_npy_array(name);
    std::int64_t count = 1;
    for (const std::int64_t size : array.shape) count *= size;
    if (count != static_cast<std::int64_t>(array.values.size()) || array.values.size() > bytes)
      std::abort();
    if (array.shape.size() == 1 || array.shape.size() == 2)
      if (ness::read_npy(name).size() != count) std::abort();
  } catch (const ness::FileError&) {
  }
}
