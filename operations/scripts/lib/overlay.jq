# What lies over the services that a project defines itself, made from its own definitions. Reads, one after the other:
#   service -> what its login needs there: see stack/overlay.py
#   the project as Compose resolves it, and as its files have it, variables as they stand
#   service -> the command of its image, where it has none of its own
# Gives lines of YAML (JSON is YAML, but for tags), or an error that names what cannot be told.

def word: "(?:\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|\\$+\\([^)]*\\)|\\$+\\{[^}]*\\}|[^\\s\"'();|&<>])+";
def option($names): "(?<!\\S)(?:" + ($names | map(gsub("\\."; "\\.")) | join("|")) + ")(?:=|\\s+)" + word;
def without($names): gsub("\\s*" + option($names); ""; "i");

# of words as a program gets them
def dropped($names):
    reduce .[] as $word ({out: [], value: false};
        ($word | ascii_downcase) as $small
        | if .value then .value = false
          elif $names | index([$small]) then .value = true
          elif any($names[]; . as $name | $small | startswith($name + "=")) then .
          else .out += [$word] end)
    | .out;

# where a shell is given a text to run: the place of that text
def script_of: if (.[0] // "" | test("(^|/)(ba|da|a)?sh$")) then
    (to_entries | map(select(.key > 0 and (.value | test("^-[a-z]*c$"))) | .key + 1) | first) as $at
    | if $at and $at < length then $at else null end else null end;

# the definition with its options for a login as it needs them: `entrypoint`, `command` or a variable of `environment` differs
def with_options($name; $needs; $image):
    ($needs.without | map(ascii_downcase)) as $names | ($needs.with // []) as $with
    | ((.entrypoint // []) + (.command // [])) as $words | (.entrypoint // [] | length) as $from
    | ($words | script_of) as $at
    | if $at then
        ($words[$at] as $text
         | if $with == [] then $text | without($names)
           elif $text | test(option($names); "i") then $text | sub(option($names); $with | join(" "); "i") | without($names)
           else error("\($name): is started by a shell that is not told \($needs.without[0]), so it cannot be seen where its options stand") end) as $text
        | ($words | .[$at] = $text) as $words
        | (if $at < $from then .entrypoint = $words[:$from] else . end)
        | (if $at >= $from then .command = $words[$from:] else . end)
      elif $words == [] and $needs.variable and ((.environment // {} | has($needs.variable)) or ($image | last // "" | test("-server$") | not)) then
        .environment[$needs.variable] = ([.environment[$needs.variable] // "" | without($names) | sub("^\\s+"; ""), $with[]] | map(select(. != "")) | join(" "))
      elif $words == [] then (if $with == [] then . else .command = ($image // []) + $with end)
      else
        (if .entrypoint then .entrypoint |= dropped($names) else . end)
        | .command = ((.command // []) | dropped($names)) + $with
        | if .command == [] and $with == [] then del(.command) else . end
      end;

def name_of: sub("=.*$"; ""; "m");

input as $services | input as $project | input as $files | input as $images
| [$services | to_entries[] | .key as $name | .value as $needs
    | ($project.services[$name] // empty) as $own | ($files.services[$name] // {}) as $written
    | ($own | if $needs.options then with_options($name; $needs.options; $images[$name] // []) else . end) as $new
    # a name without a value would take the key of the env file away
    | [$own.environment // {} | to_entries[] | select(.value == null) | .key | select(IN($needs.env[]?))] as $bare
    | ($needs.keys + $bare) as $keys
    | ($written.environment | type == "array" and any(.[]; name_of as $key | $keys | index([$key]))) as $list
    # what its env files say stands in its environment, for a password that changes there would replace it; where Compose looks is ours
    | ($needs.inline and ($written.env_file // [] | length > 0)) as $inline
    | (if $inline then $new.environment // {}
           | with_entries(select(.key | (test("pass|secret|auth"; "i") or IN("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROJECT_NAME")) | not))
       elif $new.environment == $own.environment then {}
       else {($needs.options.variable): $new.environment[$needs.options.variable]} end) as $environment
    | [
        (if $new.entrypoint != $own.entrypoint then "entrypoint: \($new.entrypoint | tojson)" else empty end),
        (if $new.command != $own.command then "command: \($new.command | tojson)" else empty end),
        (if $inline then "env_file: !reset []" else empty end),
        (if $list then
            "environment: !override \([$written.environment[] | select(name_of as $key | $keys + ($environment | keys) | index([$key]) | not)]
                + [$environment | to_entries[] | "\(.key)=\(.value)"] | tojson)"
         elif $environment != {} or $bare != [] then
            "environment: {\([($environment | to_entries[] | "\(.key | tojson): \(.value | tojson)"), ($bare[] | "\(tojson): !reset []")] | join(", "))}"
         else empty end),
        (if $needs.healthcheck and $own.healthcheck.test and ($own.healthcheck.test | first) != "NONE" and ($own.healthcheck.disable | not)
         then "healthcheck: \({test: $needs.healthcheck} | tojson)" else empty end)
    ] | select(. != []) | "  \($name | tojson):", "    \(.[])"]
| if . == [] then "services: {}" else "services:", .[] end
