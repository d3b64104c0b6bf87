#include "domain/undo_step.h"

#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<UndoKind>, 15> kUndoKinds{{
    {UndoKind::kRemovePartial, "remove_partial"},
    {UndoKind::kRemoveFile, "remove_file"},
    {UndoKind::kRemoveFolder, "remove_folder"},
    {UndoKind::kRemoveTree, "remove_tree"},
    {UndoKind::kUndefineMachine, "undefine_machine"},
    {UndoKind::kStopMachine, "stop_machine"},
    {UndoKind::kUndoSeal, "undo_seal"},
    {UndoKind::kRemoveNetwork, "remove_network"},
    {UndoKind::kAbandonSnapshot, "abandon_snapshot"},
    {UndoKind::kUndoConvert, "undo_convert"},
    {UndoKind::kDeleteSnapshot, "delete_snapshot"},
    {UndoKind::kLetRun, "let_run"},
    {UndoKind::kPutBack, "put_back"},
    {UndoKind::kRemoveOverlay, "remove_overlay"},
    {UndoKind::kForgetSnapshot, "forget_snapshot"},
}};

}  // namespace

std::string_view to_string(UndoKind kind) { return name_of(kUndoKinds, kind); }
Result<UndoKind> undo_kind_from(std::string_view name) { return value_of(kUndoKinds, name, "undo step"); }

}  // namespace cohort
