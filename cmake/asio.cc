// The one translation unit that holds Boost.Asio's compiled half (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
