#include "protocol/reply_writer.h"

#include <algorithm>

#include "base/check.h"

namespace larder {
namespace {

bool IsLineBreak(char c) { return c == '\r' || c == '\n'; }

std::string_view TrimLineBreaks(std::string_view text) {
  while (!text.empty() && IsLineBreak(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsLineBreak(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

void ReplyWriter::Line(char kind, std::string_view text) {
  char* const start = out_->Reserve(text.size() + 3);
  *start = kind;
  if (!text.empty()) std::memcpy(start + 1, text.data(), text.size());
  WriteEndOfLine(start + 1 + text.size());
  out_->Commit(text.size() + 3);
}

void ReplyWriter::Simple(std::string_view text) {
  LARDER_DCHECK(std::none_of(text.begin(), text.end(), IsLineBreak));
  Line('+', text);
}

void ReplyWriter::Error(std::string_view text) {
  // Errors quote what clients sent; a line break let through would let a client forge replies.
  text = TrimLineBreaks(text);
  char* const start = out_->Reserve(text.size() + 3);
  *start = '-';
  std::replace_copy_if(text.begin(), text.end(), start + 1, IsLineBreak, ' ');
  WriteEndOfLine(start + 1 + text.size());
  last_error_size_ = static_cast<uint8_t>(std::min(text.size(), sizeof(last_error_)));
  std::memcpy(last_error_, start + 1, last_error_size_);
  out_->Commit(text.size() + 3);
  ++error_count_;
}

void ReplyWriter::LongBulk(std::string_view bytes) {
  Header('$', bytes.size());
  out_->Append(bytes);
  Literal("\r\n");
}

void ReplyWriter::BulkBlob(const BlobRef& blob) { BulkBlob(blob, blob->view()); }

void ReplyWriter::BulkBlob(const BlobRef& blob, std::string_view front, std::string_view rest) {
  Header('$', front.size() + rest.size());
  if (front.size() < kMinReferencedBytes) {
    out_->Append(front);
  } else {
    const auto offset = static_cast<size_t>(front.data() - blob->view().data());
    out_->AppendBlob(blob, offset, front.size());
  }
  out_->Append(rest);
  Literal("\r\n");
}

void ReplyWriter::BulkInteger(int64_t value) {
  char text[kMaxIntegerText];
  Bulk({text, FormatInt64(value, text)});
}

void ReplyWriter::Boolean(bool value) {
  if (!resp3()) return Integer(value);
  value ? Literal("#t\r\n") : Literal("#f\r\n");
}

void ReplyWriter::Double(double value) {
  char text[kMaxDoubleText];
  const std::string_view written(text, FormatDouble(value, text));
  resp3() ? Line(',', written) : Bulk(written);
}

void ReplyWriter::BigNumber(std::string_view digits) { resp3() ? Line('(', digits) : Bulk(digits); }

void ReplyWriter::Verbatim(std::string_view text, std::string_view format) {
  if (!resp3()) return Bulk(text);
  LARDER_DCHECK(format.size() == 3);
  Header('=', text.size() + 4);
  out_->Append(format);
  Literal(":");
  out_->Append(text);
  Literal("\r\n");
}

void ReplyWriter::Attribute(size_t pairs) {
  LARDER_DCHECK(resp3());
  Header('|', pairs);
}

void ReplyWriter::InsertHeader(DeferredMark mark, char kind, uint64_t count) {
  char header[kMaxHeader];
  out_->Insert(mark, {header, static_cast<size_t>(WriteHeader(header, kind, count) - header)});
}

void ReplyWriter::EndDeferredMap(DeferredMark mark, size_t pairs) {
  resp3() ? InsertHeader(mark, '%', pairs) : InsertHeader(mark, '*', 2 * pairs);
}

void ReplyWriter::EndDeferredSet(DeferredMark mark, size_t elements) {
  InsertHeader(mark, resp3() ? '~' : '*', elements);
}

void ReplyWriter::EndDeferredPush(DeferredMark mark, size_t elements) {
  InsertHeader(mark, resp3() ? '>' : '*', elements);
}

}  // namespace larder
