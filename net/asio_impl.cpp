// The one place where Asio's own code is compiled (BOOST_ASIO_SEPARATE_COMPILATION): everywhere
// else its headers only declare, which halves what a file that uses them costs to build.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
