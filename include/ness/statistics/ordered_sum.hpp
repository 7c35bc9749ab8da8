// Sums over pieces of work on threads and ranks, the same to the last bit for any number of them.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/ranks.hpp"
#include "ness/statistics/threads.hpp"

namespace ness::detail {

/// Lets pieces pass one after the other, 0 first, until one fails.
class Turns {
 public:
  /// Waits for the turn of piece k and calls `work`; not after a failure.
  template <class Work>
  void take(int k, const Work& work) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == k || failed_; });
    if (failed_) return;
    work();
    ++next_;
    changed_.notify_all();
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int next_ = 0;
  bool failed_ = false;
};

/// Objects that threads borrow, one each, and give back.
template <class Object>
class Pool {
 public:
  /// One that is idle, or what `make()` returns.
  template <class Make>
  Object borrow(const Make& make) {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Object object = std::move(idle_.back());
        idle_.pop_back();
        return object;
      }
    }
    return make();
  }
  void give_back(Object object) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(object));
  }

 private:
  std::mutex mutex_;
  std::vector<Object> idle_;
};

/// work(scratch, k) for the pieces k of `share` on `threads` threads (0: as many as the machine
/// has), and after each add(scratch, k), in the order of k and one at a time. Each thread has a
/// `scratch` of its own, from the pool or by `make()`. What is thrown is thrown again.
template <class Scratch, class Make, class Work, class Add>
void in_order(Share share, int threads, Pool<Scratch>& pool, const Make& make, const Work& work,
              const Add& add) {
  Turns turns;
  parallel_for(share.count(), threads, [&](int k) {
    try {
      Scratch scratch = pool.borrow(make);
      work(scratch, share.first + k);
      turns.take(k, [&] { add(scratch, share.first + k); });
      pool.give_back(std::move(scratch));
    } catch (...) {
      turns.fail();
      throw;
    }
  });
}

/// add(k, part) on every rank for the pieces k = 0 … count − 1 in their order, of what
/// work(share, keep) keeps by `keep(part)` for each piece of a share, in order. Goes in rounds, so
/// that a rank holds what `most` pieces of each rank make and no more.
template <class Matrix, class Work, class Add>
void in_rounds(const Ranks& ranks, int count, int most, const Work& work, const Add& add) {
  using Shape = std::array<Eigen::Index, 2>;
  const int rounds = (count + ranks.size() * most - 1) / (ranks.size() * most);
  for (int round = 0; round < rounds; ++round) {
    const Share pieces = share_of(round, rounds, count);
    const Share own = share_of(&ranks, pieces.count());
    std::string kept;
    on_every_rank(&ranks, [&] {
      work(Share{pieces.first + own.first, pieces.first + own.last}, [&](const Matrix& part) {
        const Shape shape{part.rows(), part.cols()};
        kept.append(reinterpret_cast<const char*>(&shape), sizeof(shape));
        kept.append(reinterpret_cast<const char*>(part.data()),
                    sizeof(*part.data()) * static_cast<std::size_t>(part.size()));
      });
    });
    int piece = pieces.first;
    for (const std::string& bytes : ranks.gather(kept))
      for (std::size_t at = 0; at < bytes.size(); ++piece) {
        Shape shape;
        std::memcpy(&shape, bytes.data() + at, sizeof(shape));
        Matrix part(shape[0], shape[1]);
        const std::size_t size = sizeof(*part.data()) * static_cast<std::size_t>(part.size());
        std::memcpy(part.data(), bytes.data() + at + sizeof(shape), size);
        at += sizeof(shape) + size;
        add(piece, part);
      }
  }
}

/// Matrices that threads borrow, of one shape at a time: what was given back is kept from one sum
/// to the next, for memory that is new costs more than to write to it.
template <class Scalar>
class MatrixPool {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// Its elements are not set.
  Matrix borrow(Eigen::Index rows, Eigen::Index cols);
  void give_back(Matrix matrix);

  std::string letter;  ///< what passes between ranks

 private:
  std::mutex mutex_;
  std::vector<Matrix> idle_;
};

/// The sum of `count` matrices in a tree whose shape depends on `count` alone: the same to the last
/// bit in whatever order they come, from however many threads and ranks. A rank holds at most about
/// as many matrices as it has threads and levels of the tree, log₂ count.
template <class Scalar>
class TreeSum {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  TreeSum(int count, Eigen::Index rows, Eigen::Index cols, const Ranks* ranks,
          MatrixPool<Scalar>& pool)
      : count_(count),
        ranks_(ranks),
        share_(share_of(ranks, count)),
        rows_(rows),
        cols_(cols),
        pool_(pool) {}

  /// The pieces of this rank.
  Share share() const { return share_; }
  /// A matrix for a piece, its elements not set.
  Matrix blank() { return pool_.borrow(rows_, cols_); }
  /// Adds piece k of the share; from any thread.
  void add(int piece, Matrix part);
  /// The sum, on every rank, when all have added their pieces.
  Matrix total();

 private:
  struct Node {  // the sum of `width` pieces from the first on
    std::int64_t first, width;
    Matrix sum;
  };

  std::string_view bytes_of(const Matrix& sum) const {
    return {reinterpret_cast<const char*>(sum.data()),
            static_cast<std::size_t>(sum.size()) * sizeof(Scalar)};
  }
  auto held(std::int64_t first) {
    return std::find_if(held_.begin(), held_.end(),
                        [&](const Node& node) { return node.first == first; });
  }
  void read(const std::string& bytes, Matrix& sum) const {
    std::memcpy(sum.data(), bytes.data(), bytes.size());
  }

  int count_;
  const Ranks* ranks_;
  Share share_;
  Eigen::Index rows_, cols_;
  MatrixPool<Scalar>& pool_;
  std::mutex mutex_;
  std::vector<Node> held_;  // a few
};

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

template <class Scalar>
DynamicMatrix<Scalar> MatrixPool<Scalar>::borrow(Eigen::Index rows, Eigen::Index cols) {
  const std::lock_guard lock(mutex_);
  if (idle_.empty() || idle_.back().rows() != rows || idle_.back().cols() != cols) {
    idle_.clear();
    return Matrix(rows, cols);
  }
  Matrix matrix = std::move(idle_.back());
  idle_.pop_back();
  return matrix;
}

template <class Scalar>
void MatrixPool<Scalar>::give_back(Matrix matrix) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(matrix));
}

template <class Scalar>
void TreeSum<Scalar>::add(int piece, Matrix part) {
  Node node{piece, 1, std::move(part)};
  std::unique_lock lock(mutex_);
  while (node.width < count_) {
    const std::int64_t parent = node.first / (2 * node.width) * (2 * node.width);
    const std::int64_t end = std::min<std::int64_t>(parent + 2 * node.width, count_);
    if (parent < share_.first || end > share_.last) break;  // a part of it is elsewhere
    const std::int64_t other = parent == node.first ? node.first + node.width : parent;
    if (other < count_) {
      const auto found = held(other);
      if (found == held_.end() || found->width != node.width) break;
      Matrix sum = std::move(found->sum);
      held_.erase(found);
      lock.unlock();
      node.sum += sum;
      pool_.give_back(std::move(sum));
      lock.lock();
    }
    node = {parent, 2 * node.width, std::move(node.sum)};
  }
  held_.push_back(std::move(node));
}

template <class Scalar>
typename TreeSum<Scalar>::Matrix TreeSum<Scalar>::total() {
  const auto join = [&](int left, int right) {
    const auto found = held(right);
    if (found == held_.end()) return;  // when it was added
    held(left)->sum += found->sum;
    pool_.give_back(std::move(found->sum));
    held_.erase(found);
  };
  const auto give = [&](int right, int rank) {
    const auto found = held(right);
    ranks_->send(bytes_of(found->sum), rank);
    pool_.give_back(std::move(found->sum));
    held_.erase(found);
  };
  const auto take = [&](int left, int, int rank) {
    Matrix sum = blank();
    ranks_->receive(pool_.letter, rank);
    read(pool_.letter, sum);
    held(left)->sum += sum;
    pool_.give_back(std::move(sum));
  };
  join_in_tree(ranks_, count_, join, give, take);
  if (!ranks_) return std::move(held(0)->sum);
  const bool first = ranks_->rank() == 0;
  Matrix sum = first ? std::move(held(0)->sum) : blank();
  if (first) pool_.letter = bytes_of(sum);
  ranks_->broadcast(pool_.letter, 0);
  if (!first) read(pool_.letter, sum);
  return sum;
}

}  // namespace ness::detail
#endif
