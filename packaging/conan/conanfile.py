# SPDX-License-Identifier: MIT
# Conan 2 recipe of this checkout:  conan create packaging/conan --build=missing
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class GtConan(ConanFile):
    name = "gt"
    description = "Grow small Transformers on frozen token embeddings: header-only, C++20, on a CPU"
    license = "MIT"
    topics = ("transformer", "language-model", "header-only", "simd")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # system_dependencies: take Eigen, RapidJSON, xsimd, xxHash and stb from where the system's package manager put
    # them, so that gt can be made without a network, or stand on a distribution's versions.
    options = {"system_dependencies": [True, False]}
    default_options = {"system_dependencies": False}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, os.pardir, os.pardir)

    def set_version(self):
        header = load(self, os.path.join(self._root, "include", "gt", "base", "version.hpp"))
        self.version = ".".join(re.findall(r"^#define GT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", header, re.MULTILINE))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        if not self.options.system_dependencies:
            self.requires("eigen/3.4.0")
            self.requires("rapidjson/cci.20230929")
            self.requires("stb/cci.20240213")
            self.requires("xsimd/8.1.0")  # the one that gt is tested with
            self.requires("xxhash/[>=0.8.1 <1]")

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        # Headers are the same for every compiler, whoever brings the dependencies.
        self.info.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["GT_EXAMPLES"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # CMake's users get the same gtConfig.cmake as everybody: gt::gt, gt::native, and OpenMP as CMake finds it.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "gt")]
        self.cpp_info.set_property("pkg_config_name", "gt")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.os == "Linux":
            self.cpp_info.cxxflags = ["-fopenmp"]
            self.cpp_info.exelinkflags = ["-fopenmp"]
            self.cpp_info.sharedlinkflags = ["-fopenmp"]
