# conan create cmake/packaging/conan --version 0.5.0 from the top of the repository.
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class NessConan(ConanFile):
    name = "ness"
    description = "The nonequilibrium stationary state of stochastic gradient descent"
    license = "MIT"
    topics = ("machine-learning", "statistical-physics", "sgd", "header-only")
    package_type = "header-library"
    settings = "os", "compiler", "build_type", "arch"
    options = {"lapack": [True, False], "mpi": [True, False]}
    default_options = {"lapack": False, "mpi": False}

    def export_sources(self):
        root = Path(self.recipe_folder).parents[2]
        for pattern in ("include/*", "cmake/*", "CMakeLists.txt", "LICENSE", "README.md", ".github/CHANGELOG.md"):
            copy(self, pattern, root, self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/[>=3.4]", transitive_headers=True)
        if self.options.mpi:
            self.requires("openmpi/[>=4.1]", transitive_headers=True)
        if self.options.lapack:
            self.requires("openblas/[>=0.3]")

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for name in ("TESTS", "BENCH", "EXAMPLES"):
            toolchain.variables[f"NESS_BUILD_{name}"] = False
        toolchain.variables["NESS_NATIVE"] = False
        toolchain.variables["NESS_USE_LAPACK"] = bool(self.options.lapack)
        toolchain.variables["NESS_USE_MPI"] = bool(self.options.mpi)
        toolchain.generate()

    def package(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.install()

    def package_id(self):
        self.info.clear()

    def package_info(self):
        # The package's own CMake files are the ones to use.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/ness"]
        self.cpp_info.libdirs = []
        self.cpp_info.bindirs = []
