# shellcheck shell=sh
# What redis, the service $server of the project $project in folder $root, or the one at $at (host:port), proves itself with: what openssl
# says to it for those who trust $trusted (PEM), when it ends, and itself, each in base64; `lacking` where there is no openssl.

#include services/redis/client.sh

command -v openssl >/dev/null || { echo lacking && exit; }
address=$at
if [ -z "$address" ]; then
    found=$(server_container) || exit 1
    address=${found#* }:6379
fi
said=$(printf '%s\n' "$trusted" | redis_tls "$address" -CAfile /dev/stdin | head -c 65536)
own=$(printf '%s\n' "$said" | sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/{p;/^-----END/q;}')
[ -n "$own" ] || exit 1
words=$(printf '%s\n' "$said" | sed -n 's/^ *Verify return code: //p' | head -n 1)
end=$(printf '%s\n' "$own" | openssl x509 -noout -enddate 2>/dev/null)
for part in "$words" "${end#notAfter=}" "$own"; do printf '%s' "$part" | base64 -w 0 && echo; done
