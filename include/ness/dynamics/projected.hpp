// A chain of many parameters, of which a few directions are looked at (not in the paper).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/fingerprint.hpp"
#include "ness/detail/matrices.hpp"

namespace ness {

/// Any chain, seen as y = Qᵀ(θ − θ₀) of K columns Q, N × K: every estimator runs on it unchanged,
/// with memory of K where θ has N.
///
///   const auto chains = [&](int k) {
///     return ness::Projected(Chain(objective, training, theta0, Philox(seed, k)), q, theta0, 10);
///   };
///
/// y of consecutive steps is no Markov chain by itself unless the columns are eigenvectors of H and
/// noise is constant; Σ and circulation are marginals of those of θ all the same. With `every` > 1
/// a step is that many Markov steps of the chain, for a look costs a pass over Q: Σ is the same,
/// what is per step is then per `every` of them.
///
/// It refers to Q and θ₀, so keep them alive. Cost: 2NK operations for each step.
template <class C>
class Projected {
 public:
  using Vector = DynamicVector<typename detail::DoubleFor<C>::type>;
  using Matrix = DynamicMatrix<typename detail::DoubleFor<C>::type>;

  /// Throws `std::invalid_argument` where a size disagrees, or for `every` below 1.
  Projected(C chain, const Matrix& basis, const Vector& origin, Eigen::Index every = 1)
      : chain_(std::move(chain)), basis_(&basis), origin_(&origin), every_(every) {
    constexpr std::string_view name = "Projected";
    detail::require_size(basis, chain_.theta().size(), basis.cols(), name, "basis");
    detail::require_size(origin, chain_.theta().size(), 1, name, "origin");
    detail::require(every >= 1, name, "every must be at least 1", every);
    look();
  }
  Projected(C, Matrix&&, const Vector&, Eigen::Index = 1) = delete;  // it would dangle
  Projected(C, const Matrix&, Vector&&, Eigen::Index = 1) = delete;

  void step() {
    for (Eigen::Index k = 0; k < every_; ++k) chain_.step();
    look();
  }

  /// y, K
  const Vector& theta() const { return seen_; }
  /// The chain that is seen.
  const C& chain() const { return chain_; }
  Eigen::Index parameters() const { return seen_.size(); }
  Eigen::Index updates_per_markov_step() const {
    return every_ * static_cast<Eigen::Index>(chain_.updates_per_markov_step());
  }

  std::string description() const
    requires requires(const C& chain) { chain.description(); }
  {
    return chain_.description() + ", every " + std::to_string(every_) + " seen in " +
           std::to_string(seen_.size()) + " directions";
  }
  /// Of the data and the directions, for checkpoints.
  std::uint64_t fingerprint() const
    requires requires(const C& chain) { chain.fingerprint(); }
  {
    detail::Fingerprint result;
    const std::uint64_t of_chain = chain_.fingerprint();
    for (const std::uint64_t half : {of_chain >> 32, of_chain & 0xffffffff})
      result.add(static_cast<double>(half));  // a double has no more than 53 bits
    result.add(*basis_);
    result.add(*origin_);
    return result.value();
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(chain_);
    look();
  }

 private:
  // The difference first: a product of θ itself would lose digits near θ₀.
  void look() {
    away_ = chain_.theta().template cast<double>() - *origin_;
    seen_.noalias() = basis_->transpose() * away_;
  }

  C chain_;
  const Matrix* basis_;
  const Vector* origin_;
  Eigen::Index every_;
  Vector away_, seen_;
};

}  // namespace ness
