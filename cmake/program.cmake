# The binary: all rooms, the guests, the page and the model server in one file.
if(NOT EXISTS ${CMAKE_SOURCE_DIR}/src/main.c)
    return()
endif()
