# `cmake --install`, and find_package(gt) or pkg-config afterwards. Nothing installed depends on the architecture but the
# program and gt::prebuilt, and all of it may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(gt_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/gt)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gtConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(TARGETS gt EXPORT gtTargets FILE_SET HEADERS FILE_SET cuda)
install(EXPORT gtTargets NAMESPACE gt:: DESTINATION ${gt_package_dir})
install(FILES cmake/gtConfig.cmake cmake/dependencies.cmake cmake/native.cmake
  ${PROJECT_BINARY_DIR}/gtConfigVersion.cmake DESTINATION ${gt_package_dir})

file(RELATIVE_PATH gt_pc_to_include ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/gt.pc.in ${PROJECT_BINARY_DIR}/gt.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gt.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
if(GT_PREBUILT)
  install(TARGETS gt_prebuilt EXPORT gtPrebuiltTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT gtPrebuiltTargets NAMESPACE gt:: DESTINATION ${gt_package_dir})
  file(RELATIVE_PATH gt_pc_to_lib ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR})
  configure_file(cmake/gt-prebuilt.pc.in ${PROJECT_BINARY_DIR}/gt-prebuilt.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/gt-prebuilt.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The program is installed as gt-lm: /usr/bin/gt belongs to Debian's genometools. OPTIONAL: whoever wants headers alone need
# not build it.
if(TARGET gt_program)
  install(PROGRAMS $<TARGET_FILE:gt_program> DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME gt-lm OPTIONAL)
endif()
