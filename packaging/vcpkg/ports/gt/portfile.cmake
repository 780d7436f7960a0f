# Overlay port of this checkout:  vcpkg install gt --overlay-ports=packaging/vcpkg/ports
# vcpkg does not see that the checkout changed: after a change, `vcpkg remove gt` first, and add --no-binarycaching.
set(VCPKG_BUILD_TYPE release)  # header-only: there is nothing to debug

cmake_path(SET SOURCE_PATH NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../../..")
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS -DGT_EXAMPLES=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/gt)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/cmake" "${CURRENT_PACKAGES_DIR}/share/doc")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
