// How members of sets are written in replies.
#pragma once

#include "protocol/reply_writer.h"
#include "storage/set.h"

namespace larder {

inline void ReplyMember(ReplyWriter& reply, const SetMember& member) {
  member.is_integer ? reply.BulkInteger(member.integer) : reply.Bulk(member.text);
}

// All members, after their header.
inline void ReplyMembers(ReplyWriter& reply, const Set& set) {
  set.ForEach([&](const SetMember& member) {
    ReplyMember(reply, member);
    return true;
  });
}

}  // namespace larder
