-- What is done stays done when a later command of a script is refused (the user lacks a permission
-- for it, or its key holds something else): what was popped must then be put back.
local function is_refused(answer) return type(answer) == 'table' and answer.err ~= nil end
