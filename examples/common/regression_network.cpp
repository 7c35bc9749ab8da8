#include "regression_network.hpp"

#include <utility>

Network make_network(const DataOptions& options) {
  const RegressionData data = regression_data(options);
  const auto samples = static_cast<Eigen::Index>(data.x.size());
  return Network(Eigen::RowVectorXd::Map(data.x.data(), samples),
                 Eigen::RowVectorXd::Map(data.y.data(), samples), {},
                 ness::regression_loss(samples));
}

Eigen::VectorXd canonical(Eigen::VectorXd theta) {
  for (int unit = 0; unit < 2; ++unit)
    if (theta[4 + unit] < 0)
      for (int first : {0, 2, 4}) theta[first + unit] = -theta[first + unit];
  if (theta[4] < theta[5])
    for (int first : {0, 2, 4}) std::swap(theta[first], theta[first + 1]);
  return theta;
}
