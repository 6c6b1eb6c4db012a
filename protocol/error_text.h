// Error texts as Redis sends them, code word included, without the leading '-' and CRLF.
#pragma once

#include <string>
#include <string_view>

namespace larder::error_text {

inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNotAFloat = "ERR value is not a valid float";
inline constexpr std::string_view kSyntax = "ERR syntax error";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
inline constexpr std::string_view kOutOfRange = "ERR index out of range";
inline constexpr std::string_view kOverflow = "ERR increment or decrement would overflow";
inline constexpr std::string_view kStringTooLong =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr std::string_view kNestedMulti = "ERR MULTI calls can not be nested";
inline constexpr std::string_view kExecWithoutMulti = "ERR EXEC without MULTI";
inline constexpr std::string_view kDiscardWithoutMulti = "ERR DISCARD without MULTI";
inline constexpr std::string_view kWatchInMulti = "ERR WATCH inside MULTI is not allowed";
inline constexpr std::string_view kExecAborted =
    "EXECABORT Transaction discarded because of previous errors.";
inline constexpr std::string_view kNoAuth = "NOAUTH Authentication required.";
inline constexpr std::string_view kWrongPass =
    "WRONGPASS invalid username-password pair or user is disabled.";
inline constexpr std::string_view kOutOfMemory =
    "OOM command not allowed when used memory > 'maxmemory'.";
inline constexpr std::string_view kDbOutOfRange = "ERR DB index is out of range";
inline constexpr std::string_view kInvalidDb = "ERR invalid DB index";
inline constexpr std::string_view kNoProto = "NOPROTO unsupported protocol version";

inline constexpr std::string_view kNotInMulti = "ERR Command not allowed inside a transaction";
inline constexpr std::string_view kMaxClients = "ERR max number of clients reached";
inline constexpr std::string_view kProtectedMode =
    "DENIED Larder is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. To accept connections from elsewhere, set a password (CONFIG SET requirepass from "
    "this machine, or `requirepass` in the configuration file), or switch the mode off (CONFIG SET "
    "protected-mode no) if the network is trusted.";

inline constexpr std::string_view kSameObject = "ERR source and destination objects are the same";
inline constexpr std::string_view kInvalidCursor = "ERR invalid cursor";
// For numbers that Redis holds in an int.
inline constexpr std::string_view kNotAnInt32 =
    "ERR value is out of range, value must between -2147483648 and 2147483647";
inline constexpr std::string_view kMustBePositive = "ERR value is out of range, must be positive";
inline constexpr std::string_view kTimeoutNotAnInteger =
    "ERR timeout is not an integer or out of range";
inline constexpr std::string_view kTimeoutNotAFloat = "ERR timeout is not a float or out of range";
inline constexpr std::string_view kNegativeTimeout = "ERR timeout is negative";
inline constexpr std::string_view kExpireNxWithOthers =
    "ERR NX and XX, GT or LT options at the same time are not compatible";
inline constexpr std::string_view kExpireGtWithLt =
    "ERR GT and LT options at the same time are not compatible";
inline constexpr std::string_view kInvalidFirstDb = "ERR invalid first DB index";
inline constexpr std::string_view kInvalidSecondDb = "ERR invalid second DB index";
inline constexpr std::string_view kFrequencyNotTracked =
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
    "when switching between policies at runtime LRU and LFU data will take some time to adjust.";
inline constexpr std::string_view kIdleTimeNotTracked =
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust.";

// Connections and clients.
inline constexpr std::string_view kNoPasswordSet =
    "ERR AUTH <password> called without any password configured for the default user. Are you sure "
    "your configuration is correct?";
inline constexpr std::string_view kHelloNeedsAuth =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
    "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";
inline constexpr std::string_view kProtocolNotAnInteger =
    "ERR Protocol version is not an integer or out of range";
inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";
inline constexpr std::string_view kNoSuchClient = "ERR No such client";
inline constexpr std::string_view kInvalidClientId = "ERR Invalid client ID";
inline constexpr std::string_view kClientIdNotPositive = "ERR client-id should be greater than 0";
inline constexpr std::string_view kPauseMode = "ERR CLIENT PAUSE mode must be WRITE or ALL";
inline constexpr std::string_view kUnblockReason =
    "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
inline constexpr std::string_view kNotInImportMode = "ERR Server is not in import mode";
// Client-side caching.
inline constexpr std::string_view kCachingWithoutTracking =
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
    "OPTOUT "
    "mode enabled";
inline constexpr std::string_view kCachingYesNeedsOptIn =
    "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.";
inline constexpr std::string_view kCachingNoNeedsOptOut =
    "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
inline constexpr std::string_view kSecondRedirect =
    "ERR A client can only redirect to a single other client";
inline constexpr std::string_view kNoSuchRedirect =
    "ERR The client ID you want redirect to does not exist";
inline constexpr std::string_view kPrefixNeedsBroadcast =
    "ERR PREFIX option requires BCAST mode to be enabled";
inline constexpr std::string_view kBroadcastSwitch =
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
    "re-enabling it with a different mode.";
inline constexpr std::string_view kOptWithBroadcast =
    "ERR OPTIN and OPTOUT are not compatible with BCAST";
inline constexpr std::string_view kOptInAndOptOut =
    "ERR You can't specify both OPTIN mode and OPTOUT mode";
inline constexpr std::string_view kOptSwitch =
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
    "re-enabling it with a different mode.";

// Bitmaps and HyperLogLogs.
inline constexpr std::string_view kBitOffset = "ERR bit offset is not an integer or out of range";
inline constexpr std::string_view kNotABit = "ERR bit is not an integer or out of range";
inline constexpr std::string_view kBitArgument = "ERR The bit argument must be 1 or 0.";
inline constexpr std::string_view kBitOpNotOneSource =
    "ERR BITOP NOT must be called with a single source key.";
inline constexpr std::string_view kInvalidBitfieldType =
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 "
    "is.";
inline constexpr std::string_view kInvalidOverflow = "ERR Invalid OVERFLOW type specified";
inline constexpr std::string_view kBitfieldReadOnly =
    "ERR BITFIELD_RO only supports the GET subcommand";
inline constexpr std::string_view kNotAHyperLogLog =
    "WRONGTYPE Key is not a valid HyperLogLog string value.";
inline constexpr std::string_view kCorruptHyperLogLog = "INVALIDOBJ Corrupted HLL object detected";
// "ERR BITOP DIFF must be called with at least two source keys."
std::string BitOpNeedsTwoSources(std::string_view operation);

// DUMP and RESTORE.
inline constexpr std::string_view kBusyKey = "BUSYKEY Target key name already exists.";
inline constexpr std::string_view kInvalidTtl = "ERR Invalid TTL value, must be >= 0";
inline constexpr std::string_view kInvalidIdleTime = "ERR Invalid IDLETIME value, must be >= 0";
inline constexpr std::string_view kInvalidFrequency =
    "ERR Invalid FREQ value, must be >= 0 and <= 255";
inline constexpr std::string_view kBadDumpPayload =
    "ERR DUMP payload version or checksum are wrong";
inline constexpr std::string_view kBadDataFormat = "ERR Bad data format";

// What EXEC answers when it is itself refused with `error`.
std::string ExecAbortedBecause(std::string_view error);
// "ERR Unsupported option foo"
std::string UnsupportedOption(std::string_view option);
// Strings.
inline constexpr std::string_view kDecrementOverflow = "ERR decrement would overflow";
inline constexpr std::string_view kIncrementNotFinite =
    "ERR increment would produce NaN or Infinity";
inline constexpr std::string_view kOffsetOutOfRange = "ERR offset is out of range";
inline constexpr std::string_view kInvalidNumKeys = "ERR invalid numkeys value";
inline constexpr std::string_view kWrongKeyValuePairs = "ERR wrong number of key-value pairs";
inline constexpr std::string_view kInvalidDigest = "ERR must be exactly 16 hexadecimal characters";
inline constexpr std::string_view kInvalidCondition =
    "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE";
inline constexpr std::string_view kConditionNeedsString =
    "ERR Key should be of string type if conditions are specified";
inline constexpr std::string_view kLcsNeedsStrings =
    "ERR The specified keys must contain string values";
inline constexpr std::string_view kLcsLengthAndIndexes =
    "ERR If you want both the length and indexes, please just use IDX.";
inline constexpr std::string_view kLcsTooLong = "ERR String too long for LCS";
inline constexpr std::string_view kLcsTooMuchMemory =
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";

inline constexpr std::string_view kModuleNotAllowed =
    "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you "
    "can run it from a local connection, otherwise you need to set this option in the "
    "configuration file, and then restart the server.";
inline constexpr std::string_view kDebugNotAllowed =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can "
    "run it from a local connection, otherwise you need to set this option in the configuration "
    "file, and then restart the server.";

// Sorted sets.
inline constexpr std::string_view kScoreBoundNotAFloat = "ERR min or max is not a float";
inline constexpr std::string_view kLexBoundInvalid = "ERR min or max not valid string range item";
inline constexpr std::string_view kWeightNotAFloat = "ERR weight value is not a float";
inline constexpr std::string_view kScoreNotANumber = "ERR resulting score is not a number (NaN)";
inline constexpr std::string_view kAddXxWithNx =
    "ERR XX and NX options at the same time are not compatible";
inline constexpr std::string_view kAddGtWithLtOrNx =
    "ERR GT, LT, and/or NX options at the same time are not compatible";
inline constexpr std::string_view kIncrementOfSeveral =
    "ERR INCR option supports a single increment-element pair";
inline constexpr std::string_view kLimitWithRanks =
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
inline constexpr std::string_view kScoresOfLexRange =
    "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
inline constexpr std::string_view kNumKeysNotPositive = "ERR numkeys should be greater than 0";
inline constexpr std::string_view kCountNotPositive = "ERR count should be greater than 0";
inline constexpr std::string_view kTooManyNumKeys =
    "ERR Number of keys can't be greater than number of args";
inline constexpr std::string_view kNegativeLimit = "ERR LIMIT can't be negative";
inline constexpr std::string_view kValueOutOfRange = "ERR value is out of range";
inline constexpr std::string_view kNotASymmetricInt64 =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
// SORT.
inline constexpr std::string_view kScoresNotNumbers =
    "ERR One or more scores can't be converted into double";

// "ERR at least 1 input key is needed for 'zunion' command"
std::string NoInputKey(std::string_view command);

// Geo.
inline constexpr std::string_view kUnknownUnit =
    "ERR unsupported unit provided. please use M, KM, FT, MI";
inline constexpr std::string_view kRadiusNotANumber = "ERR need numeric radius";
inline constexpr std::string_view kWidthNotANumber = "ERR need numeric width";
inline constexpr std::string_view kHeightNotANumber = "ERR need numeric height";
inline constexpr std::string_view kNegativeRadius = "ERR radius cannot be negative";
inline constexpr std::string_view kNegativeBox = "ERR height or width cannot be negative";
inline constexpr std::string_view kNoSuchPlace = "ERR could not decode requested zset member";
inline constexpr std::string_view kGeoCountNotPositive = "ERR COUNT must be > 0";
inline constexpr std::string_view kAnyWithoutCount = "ERR the ANY argument requires COUNT argument";
inline constexpr std::string_view kGeoStoreWith =
    "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
inline constexpr std::string_view kGeoSearchStoreWith =
    "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
// "ERR invalid longitude,latitude pair 200.000000,1.000000"
std::string InvalidPoint(double longitude, double latitude);
// "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch"
std::string NoGeoCenter(std::string_view command);
// "ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch"
std::string NoGeoShape(std::string_view command);

// "ERR wrong number of arguments for 'get' command"; a subcommand as "config|get".
std::string WrongArity(std::string_view command);
// "ERR invalid expire time in 'set' command"
std::string InvalidExpire(std::string_view command);
// "ERR unknown subcommand 'x'. Try CONFIG HELP."
std::string UnknownSubcommand(std::string_view subcommand, std::string_view command);

// "ERR unknown subcommand or wrong number of arguments for 'x'. Try CONFIG HELP."
std::string UnknownSubcommandOrArity(std::string_view subcommand, std::string_view command);

// What a RESP2 connection with subscriptions answers to any other command.
std::string OnlyInPubSub(std::string_view command);

}  // namespace larder::error_text
