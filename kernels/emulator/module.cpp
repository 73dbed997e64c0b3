// Reads what the driver needs of PTX text: version, target, and for each entry
// its name, the sizes of its parameters and its limit of threads.
#include "emulator.h"

#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulated {

namespace {

// Words of PTX text, one after the other: names, numbers and directives, or a
// single other character. Comments are passed over.
class Words {
public:
  explicit Words(const char *text) : at(text) {}

  std::string next() {
    skip();
    if (!*at) return "";
    const char *from = at;
    if (!part(*at)) return std::string(1, *at++);
    while (part(*at)) at++;
    return std::string(from, at);
  }

private:
  static bool part(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || c == '%'; }

  void skip() {
    for (;;) {
      while (isspace((unsigned char)*at)) at++;
      if (at[0] == '/' && at[1] == '/') {
        while (*at && *at != '\n') at++;
      } else if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        at = end ? end + 2 : at + strlen(at);
      } else {
        return;
      }
    }
  }

  const char *at;
};

// The size of a type such as .u64, or 0.
int size_of(const std::string &type) {
  if (type.size() < 3 || type[0] != '.' || !strchr("bufs", type[1])) return 0;
  int bits = atoi(type.c_str() + 2);
  return bits == 8 || bits == 16 || bits == 32 || bits == 64 ? bits / 8 : 0;
}

// Reads a parameter list up to the parenthesis that ends it: .param [.align n]
// type name[count], ...
bool parse_parameters(Words *words, PtxEntry *entry) {
  int size = 0;
  bool any = false;
  for (std::string word = words->next(); !word.empty(); word = words->next()) {
    if (word == ".param") {
      any = true;
      size = 0;
    } else if (size_of(word)) {
      size = size_of(word);
    } else if (word == ".align" || word == ".ptr") {
      if (word == ".align") words->next();
    } else if (word == "[") {
      size *= atoi(words->next().c_str());
    } else if (word == "," || word == ")") {
      if (any && size <= 0) return false;
      if (any) entry->sizes.push_back(size);
      any = false;
      if (word == ")") return true;
    }
  }
  return false;
}

} // namespace

bool parse(const char *text, Ptx *ptx, std::string *report) {
  *ptx = {};
  Words words(text);
  for (std::string word = words.next(); !word.empty(); word = words.next()) {
    if (word == ".version") {
      std::string version = words.next();
      int major = 0, minor = 0;
      if (sscanf(version.c_str(), "%d.%d", &major, &minor) == 2) ptx->version = 10 * major + minor;
    } else if (word == ".target") {
      std::string target = words.next();
      if (target.compare(0, 3, "sm_") == 0) {
        ptx->target = atoi(target.c_str() + 3);
        ptx->exact = target.back() == 'a';
      }
    } else if (word == ".entry") {
      PtxEntry entry = {words.next(), {}, 0};
      word = words.next();
      if (word == "(" && !parse_parameters(&words, &entry)) {
        *report = "entry " + entry.name + ": its parameters can't be read";
        return false;
      }
      ptx->entries.push_back(entry);
    } else if ((word == ".maxntid" || word == ".reqntid") && !ptx->entries.empty()) {
      int threads = 1;
      do threads *= atoi(words.next().c_str());
      while ((word = words.next()) == ",");
      ptx->entries.back().most_threads = threads;
    }
  }
  if (!ptx->version || !ptx->target) {
    *report = "no PTX: .version or .target is missing";
    return false;
  }
  return true;
}

std::string format(const char *text, ...) {
  char buffer[1024];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(buffer, sizeof buffer, text, arguments);
  va_end(arguments);
  return buffer;
}

} // namespace emulated
