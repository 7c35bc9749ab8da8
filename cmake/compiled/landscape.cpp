#include "kernels.hpp"

#include "ness/landscape/minimize.hpp"

namespace ness::detail {

template Minimum<double> minimize(const LandscapeFunctions<double>&, const DynamicVector<double>&,
                                  const MinimizeSettings&);
template Minimum<float> minimize(const LandscapeFunctions<float>&, const DynamicVector<float>&,
                                 const MinimizeSettings&);
template Minimum<double> polish_minimum(const LandscapeFunctions<double>&,
                                        const DynamicVector<double>&, const DynamicMatrix<double>&,
                                        double);
template Minimum<float> polish_minimum(const LandscapeFunctions<float>&,
                                       const DynamicVector<float>&, const DynamicMatrix<float>&,
                                       float);

}  // namespace ness::detail
