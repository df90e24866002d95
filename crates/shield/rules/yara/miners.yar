// Programs that earn money for somebody else.

rule miner {
    meta:
        needs = "stratum|xmrig|xmr-stak|ethminer|cpuminer|minerd|nbminer|t-rex|lolminer|phoenixminer|ccminer|coinhive|cryptoloot|coin-hive|jsecoin|webminepool|CoinImp"
        id = "code/miner"
        level = "HIGH"
        prose = "LOW"
        reason = "it mines coins for somebody"
    strings:
        $pool = /stratum(\+(tcp|ssl|tls))?:\/\/[^\s'"]{4,100}/ ascii wide nocase
        $tool = /\b(xmrig|xmr-stak|ethminer|cpuminer|minerd|nbminer|t-rex|lolminer|phoenixminer|ccminer)\b/ ascii wide nocase
        $option = /donate-level|--algo|rx\/0|randomx|cryptonight|--nicehash|-o\s+\S{3,60}:[0-9]{3,5}\s[^\n]{0,40}-u\s/ ascii wide nocase
        $web = /coinhive|cryptoloot|coin-hive|jsecoin|webminepool|CoinImp/ nocase
        $start = /new\s+(CoinHive|CRLT|Client)\.(Anonymous|User)\s{0,2}\(|miner\.start\s{0,2}\(/ nocase
    condition:
        ($pool and ($tool or $option)) or ($tool and #option > 1) or ($web and $start)
}
