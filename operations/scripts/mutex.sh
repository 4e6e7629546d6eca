#include lib/mutex.sh
take_mutex
