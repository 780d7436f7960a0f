# `cmake --install`, and find_package(gt) afterwards. Nothing installed depends on the architecture.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(gt_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/gt)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gtConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(TARGETS gt EXPORT gtTargets FILE_SET HEADERS FILE_SET cuda)
install(EXPORT gtTargets NAMESPACE gt:: DESTINATION ${gt_package_dir})
install(FILES cmake/gtConfig.cmake cmake/dependencies.cmake cmake/native.cmake
  ${PROJECT_BINARY_DIR}/gtConfigVersion.cmake DESTINATION ${gt_package_dir})
