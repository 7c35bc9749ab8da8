# spack repo add cmake/packaging/spack && spack dev-build ness@0.5.0 from the top of the repository.
from spack.package import *


class Ness(CMakePackage):
    """The nonequilibrium stationary state of stochastic gradient descent: a header-only C++20 library."""

    homepage = "https://arxiv.org/abs/2306.03521"

    license("MIT")

    version("0.5.0")

    variant("lapack", default=False, description="LAPACK's eigensolver for large matrices")
    variant("mpi", default=False, description="Chains and sums over samples shared by the ranks of MPI")
    variant("compiled", default=False, description="Build and install ness::compiled")

    depends_on("cxx", type="build")
    depends_on("cmake@3.23:", type="build")
    depends_on("eigen@3.4:")
    depends_on("lapack", when="+lapack")
    depends_on("mpi", when="+mpi")

    conflicts("%gcc@:11", msg="ness is written in C++20")
    conflicts("%clang@:13", msg="ness is written in C++20")

    def cmake_args(self):
        off = ["NESS_BUILD_TESTS", "NESS_BUILD_BENCH", "NESS_BUILD_EXAMPLES", "NESS_NATIVE"]
        return [self.define(name, False) for name in off] + [
            self.define_from_variant("NESS_USE_LAPACK", "lapack"),
            self.define_from_variant("NESS_USE_MPI", "mpi"),
            self.define_from_variant("NESS_INSTALL_COMPILED", "compiled"),
        ]
