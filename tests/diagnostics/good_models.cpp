// must compile
#include <ness/ness.hpp>

// Every way of writing an output that we say we accept.
struct Base {
  Eigen::Index parameters() const { return 2; }
  Eigen::Index samples() const { return 3; }
  double sample_loss(const Eigen::VectorXd& theta, Eigen::Index) const { return theta.sum(); }
};
struct Plain : Base {
  void batch_gradient(const Eigen::VectorXd&, ness::Batch, Eigen::VectorXd&) const {}
  void hessian(const Eigen::VectorXd&, Eigen::MatrixXd&) const {}
};
struct WithRef : Base {
  void batch_gradient(const Eigen::VectorXd&, ness::Batch, Eigen::Ref<Eigen::VectorXd>) const {}
  void sample_gradients(const Eigen::VectorXd&, Eigen::Index, Eigen::Ref<Eigen::MatrixXd>) const {}
};
struct Generic : Base {
  void batch_gradient(const auto&, ness::Batch, auto&) const {}
};
struct WithWorkspace : Base {
  struct Workspace {
    Eigen::VectorXd scratch;
  };
  void batch_gradient(const Eigen::VectorXd&, ness::Batch, Eigen::VectorXd&, Workspace&) const {}
};
struct Float {
  using Scalar = float;
  static constexpr Eigen::Index parameters() { return 4; }
  Eigen::Index samples() const { return 3; }
  template <class S>
  S sample_loss(const Eigen::Matrix<S, 4, 1>& theta, Eigen::Index) const {
    return theta.squaredNorm();
  }
};
static_assert(ness::Model<Plain> && ness::HasHessian<Plain>);
static_assert(ness::Model<WithRef> && ness::HasSampleGradients<WithRef>);
static_assert(ness::Model<Generic> && ness::Model<WithWorkspace> && ness::Model<Float>);

int main() {
  ness::Objective plain(Plain{});
  ness::Objective reference(WithRef{});
  ness::Objective generic(Generic{});
  ness::Objective workspace(WithWorkspace{});
  ness::Objective single(Float{}, ness::L2{0.1});
}
