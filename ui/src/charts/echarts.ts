/** Only the parts of ECharts that are drawn here; this module is loaded when the first chart is. */
import { BarChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

register([BarChart, GridComponent, TooltipComponent, CanvasRenderer]);

export { init };
