#include "ness/detail/compiled_guard.hpp"
#include "ness/detail/general_matrices.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

template <class Scalar>
using BlockOf = Eigen::Ref<const DynamicMatrix<Scalar>>;

template double dot(const double*, const double*, Eigen::Index);
template float dot(const float*, const float*, Eigen::Index);
template double sum(const double*, Eigen::Index);
template float sum(const float*, Eigen::Index);
template DynamicMatrix<double> product(const DynamicMatrix<double>&, const DynamicMatrix<double>&);
template DynamicMatrix<float> product(const DynamicMatrix<float>&, const DynamicMatrix<float>&);
template DynamicMatrix<double> product_of_rows(const DynamicMatrix<double>&,
                                               const DynamicMatrix<double>&);
template DynamicMatrix<float> product_of_rows(const DynamicMatrix<float>&,
                                              const DynamicMatrix<float>&);
template DynamicVector<double> dot_products_of_rows(const DynamicMatrix<double>&,
                                                    const DynamicMatrix<double>&);
template DynamicVector<float> dot_products_of_rows(const DynamicMatrix<float>&,
                                                   const DynamicMatrix<float>&);
template DynamicMatrix<double> product_of_columns(const DynamicMatrix<double>&,
                                                  const DynamicMatrix<double>&);
template DynamicMatrix<float> product_of_columns(const DynamicMatrix<float>&,
                                                 const DynamicMatrix<float>&);
template DynamicMatrix<double> transposed(const DynamicMatrix<double>&);
template DynamicMatrix<float> transposed(const DynamicMatrix<float>&);
template DynamicMatrix<double> symmetric_product(const DynamicMatrix<double>&,
                                                 const DynamicMatrix<double>&);
template DynamicMatrix<float> symmetric_product(const DynamicMatrix<float>&,
                                                const DynamicMatrix<float>&);
template DynamicMatrix<double> half_sum_with_transpose(const DynamicMatrix<double>&, int);
template DynamicMatrix<float> half_sum_with_transpose(const DynamicMatrix<float>&, int);
template void add_scaled(double*, double, const double*, Eigen::Index);
template void add_scaled(float*, float, const float*, Eigen::Index);
template void add_scaled(DynamicMatrix<double>&, double, const DynamicMatrix<double>&);
template void add_scaled(DynamicMatrix<float>&, float, const DynamicMatrix<float>&);
template void rank_update(Eigen::Ref<DynamicMatrix<double>>, const BlockOf<double>&, double);
template void rank_update(Eigen::Ref<DynamicMatrix<float>>, const BlockOf<float>&, float);
template void add_products_of_columns(DynamicMatrix<double>&, const DynamicMatrix<double>&);
template void add_products_of_columns(DynamicMatrix<float>&, const DynamicMatrix<float>&);
template void mirror(DynamicMatrix<double>&);
template void mirror(DynamicMatrix<float>&);

template bool symmetric_eigen(DynamicVector<double>&, DynamicMatrix<double>&);
template bool symmetric_eigen(DynamicVector<float>&, DynamicMatrix<float>&);
template bool cholesky(DynamicMatrix<double>&);
template bool cholesky(DynamicMatrix<float>&);
template void solve_lower(const DynamicMatrix<double>&, DynamicMatrix<double>&);
template void solve_lower(const DynamicMatrix<float>&, DynamicMatrix<float>&);
template bool solve_positive_definite(const DynamicMatrix<double>&, DynamicVector<double>&);
template bool solve_positive_definite(const DynamicMatrix<float>&, DynamicVector<float>&);
template struct UnitDiagonal<double>;
template struct UnitDiagonal<float>;
template DynamicMatrix<double> in_units(const DynamicMatrix<double>&, const DynamicVector<double>&);
template DynamicMatrix<float> in_units(const DynamicMatrix<float>&, const DynamicVector<float>&);
template void require_semidefinite(const DynamicMatrix<double>&, std::string_view,
                                   std::string_view);
template void require_semidefinite(const DynamicMatrix<float>&, std::string_view, std::string_view);
template struct SymmetricEigen<double>;
template struct SymmetricEigen<float>;
template DynamicMatrix<double> whitening(const DynamicMatrix<double>&);
template DynamicMatrix<float> whitening(const DynamicMatrix<float>&);

template DynamicMatrix<double> solve_general(const DynamicMatrix<double>&,
                                             const DynamicMatrix<double>&);
template DynamicMatrix<float> solve_general(const DynamicMatrix<float>&,
                                            const DynamicMatrix<float>&);

}  // namespace ness::detail

// The one layout that this library was compiled for.
template <int MaxAlignBytes, int EigenWorld, int EigenMajor, int EigenMinor, bool Lapack>
bool ness::compiled::the_library_was_compiled_with_other_instruction_set_or_eigen() {
  return false;
}

template bool ness::compiled::the_library_was_compiled_with_other_instruction_set_or_eigen<>();
