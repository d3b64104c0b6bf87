// What must be taken back if the job that recorded it does not end well.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort {

enum class UndoKind {
  kRemovePartial,    // remove the folder tree `subject` (only ever a "*.partial" of ours)
  kRemoveFile,       // remove the file `subject`
  kRemoveFolder,     // remove the folder `subject` if it is empty
  kRemoveTree,       // remove the folder tree `subject`, made by the job (an import's TPM state)
  kUndefineMachine,  // undefine the machine with the UUID `subject`, if it is still what the job defined
  kStopMachine,      // the job starts the machine with the UUID `subject`: kUndefineMachine may stop it
  kUndoSeal,         // take back what a seal has begun in the package `subject` (package/seal.h)
  kRemoveNetwork,    // remove the network with the UUID `subject`
  kAbandonSnapshot,  // resume members, take overlays back, forget the snapshot with the id `subject`
  kUndoConvert,      // the reference point that the snapshot with the id `subject` became is that snapshot again
  kDeleteSnapshot,   // delete the snapshot with the id `subject` as delete_snapshot does
  kLetRun,           // let those members run that did at the instant of the snapshot with the id `subject`
  kPutBack,          // take all members back to the snapshot with the id `subject` (service/go_back.h)
  kRemoveOverlay,    // remove the overlay file `subject`, on which nothing stands
  kForgetSnapshot,   // forget the snapshot with the id `subject`, whose overlays are gone
};
[[nodiscard]] std::string_view to_string(UndoKind kind);
[[nodiscard]] Result<UndoKind> undo_kind_from(std::string_view name);

struct UndoStep {
  std::int64_t number = 0;  // given by the store; later steps have greater numbers
  UndoKind kind = UndoKind::kRemoveFile;
  std::string subject;
};

}  // namespace cohort
